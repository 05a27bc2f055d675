"""Pooling and grid sampling: values, derivatives, arguments that do not fit."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, distinct, prove, real

CASES = {"max_pool", "pool", "unpool"}
WINDOWS = [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0)), (3, 1, 1)]


def by_windows(x, kernel, stride, padding, reduce):
    """``reduce`` of every window of an image (B, H, W, C), padding left out."""
    kernel = kernel if isinstance(kernel, tuple) else (kernel,) * 2
    stride = kernel if stride is None else stride if isinstance(stride, tuple) else (stride,) * 2
    padding = padding if isinstance(padding, tuple) else (padding,) * 2
    steps = [
        range(-p, n + p - k + 1, s)
        for n, k, s, p in zip(x.shape[1:3], kernel, stride, padding, strict=True)
    ]
    return np.stack([
        np.stack([
            reduce(x[:, max(i, 0) : i + kernel[0], max(j, 0) : j + kernel[1]], axis=(1, 2))
            for j in steps[1]], axis=1)
        for i in steps[0]], axis=1)  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
def test_max_pool2d(window):
    x = distinct(2, 7, 8, 3)
    prove("max_pool", lambda x: F.max_pool2d(x, *window), x)
    expected = by_windows(x.numpy(), *window, np.max)
    np.testing.assert_array_equal(F.max_pool2d(x, *window).numpy(), expected)


@pytest.mark.parametrize("window", WINDOWS)
def test_avg_pool2d(window):
    for x in (real(2, 7, 8, 3), cplx(2, 7, 8, 3)):
        for count_padding in (True, False):
            check_grads(lambda x, c=count_padding: F.avg_pool2d(x, *window, c), x)
        expected = by_windows(x.numpy(), *window, np.mean)
        np.testing.assert_allclose(F.avg_pool2d(x, *window, False).numpy(), expected)


def test_padding_counts_as_zeros_when_asked():
    x = Tensor(np.ones((1, 3, 1)))
    assert F.avg_pool1d(x, 2, 2, 1).tolist() == [[[0.5], [1.0]]]
    assert F.avg_pool1d(x, 2, 2, 1, count_padding=False).tolist() == [[[1.0], [1.0]]]


def test_sequences():
    x = distinct(2, 9, 3)
    prove("max_pool", lambda x: F.max_pool1d(x, 4, 3, 2), x)
    check_grads(lambda x: F.avg_pool1d(x, 4, 3, 2), x)
    np.testing.assert_array_equal(
        F.max_pool1d(x, 3).numpy(), x.numpy().reshape(2, 3, 3, 3).max(axis=2)
    )


def test_putting_back_is_differentiable():
    from minitx.autograd.rules.pooling import choose_, max_pool_, pool_, unpool_

    how = {"kernel": (3,), "stride": (2,), "padding": ((1, 1),)}
    x = distinct(2, 5, 4)
    y = max_pool_(x, **how)
    how["choice"] = choose_(x, y, **how).data
    prove("unpool", lambda y: unpool_(y, lengths=(5,), **how), real(2, 3, 4))
    prove("pool", lambda x: pool_(x, **how), real(2, 5, 4))
    np.testing.assert_array_equal(pool_(x, **how).numpy(), y.numpy())


def test_the_first_of_ties_has_the_gradient():
    x = Tensor([[[1.0], [1.0], [0.0], [1.0]]], requires_grad=True)
    F.sum(F.max_pool1d(x, 2)).backward()
    assert x.grad.tolist() == [[[1.0], [0.0], [0.0], [1.0]]]


def test_padding_is_never_chosen():
    x = Tensor(np.full((1, 3, 1), -np.inf), requires_grad=True)
    y = F.max_pool1d(x, 2, 2, 1)
    assert (y.numpy() == -np.inf).all()
    y.backward(np.ones(y.shape))
    assert x.grad.tolist() == [[[1.0], [1.0], [0.0]]]
    integers = F.max_pool1d(Tensor(np.array([[[-5], [-7], [-9]]])), 2, 2, 1)
    assert integers.tolist() == [[[-5], [-7]]]


def test_nan_is_the_greatest():
    x = Tensor(np.array([[[1.0], [np.nan], [3.0], [4.0], [5.0]]]))
    np.testing.assert_array_equal(F.max_pool1d(x, 3, 1).numpy()[0, :, 0], [np.nan, np.nan, 5])


@pytest.mark.parametrize("lengths", [3, (1, 1), (7, 8), (5, 2), (9, 11)])
def test_adaptive_avg_pool2d(lengths):
    x = real(2, 7, 8, 3)
    check_grads(lambda x: F.adaptive_avg_pool2d(x, lengths), x)
    rows, columns = lengths if isinstance(lengths, tuple) else (lengths,) * 2
    expected = np.zeros((2, rows, columns, 3))
    for i in range(rows):
        for j in range(columns):
            part = x.numpy()[:, i * 7 // rows : -(-(i + 1) * 7 // rows)]
            part = part[:, :, j * 8 // columns : -(-(j + 1) * 8 // columns)]
            expected[:, i, j] = part.mean(axis=(1, 2))
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, lengths).numpy(), expected)


def test_adaptive_avg_pool1d_and_integers():
    x = real(2, 7, 3)
    check_grads(lambda x: F.adaptive_avg_pool1d(x, 3), x)
    whole = F.adaptive_avg_pool1d(x, 1).numpy()
    np.testing.assert_allclose(whole, x.numpy().mean(axis=1, keepdims=True))
    integers = Tensor(np.array([[[1], [2], [4], [8]]]))
    assert F.adaptive_avg_pool1d(integers, 2).tolist() == [[[1.5], [6.0]]]
    assert F.avg_pool1d(integers, 2).tolist() == [[[1.5], [6.0]]]
    assert F.avg_pool1d(integers, 2).dtype == np.float32


def test_no_batch_and_no_channels():
    for shape in ((0, 4, 4, 3), (2, 4, 4, 0), (1, 1, 1, 1)):
        x = real(*shape)
        k = min(2, shape[1])
        check_grads(lambda x, k=k: F.max_pool2d(x, k), x)
        check_grads(lambda x, k=k: F.avg_pool2d(x, k), x)


# ------------------------------------------------------------------------------ grid sampling


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_gradients_of_grid_sample(padding, align_corners):
    grid = real(2, 4, 3, 2, low=-1.4, high=1.4)
    for x in (real(2, 5, 7, 3), cplx(2, 5, 7, 3)):
        check_grads(lambda x, grid: F.grid_sample(x, grid, padding, align_corners), x, grid)


def test_the_pixels_themselves_are_given_back():
    x = real(1, 3, 5, 2)
    v, u = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 5), indexing="ij")
    grid = Tensor(np.stack([u, v], -1)[None], dtype=np.float64)
    found = F.grid_sample(x, grid, align_corners=True).numpy()
    np.testing.assert_allclose(found, x.numpy(), atol=1e-14)
    v, u = np.meshgrid((np.arange(3) + 0.5) * 2 / 3 - 1, (np.arange(5) + 0.5) * 2 / 5 - 1,
                       indexing="ij")  # fmt: skip
    grid = Tensor(np.stack([u, v], -1)[None], dtype=np.float64)
    np.testing.assert_allclose(F.grid_sample(x, grid).numpy(), x.numpy(), atol=1e-14)
    between = Tensor([[[[-0.75, -1.0]]]], dtype=np.float64)  # halfway from column 0 to column 1
    found = F.grid_sample(x, between, align_corners=True).numpy()[0, 0, 0]
    np.testing.assert_allclose(found, x.numpy()[0, 0, :2].mean(axis=0))


def test_beyond_the_image():
    x = Tensor(np.full((1, 2, 2, 1), 3.0))
    far = Tensor([[[[5.0, 5.0]]]])
    assert F.grid_sample(x, far).item() == 0
    assert F.grid_sample(x, far, padding="border").item() == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.max_pool2d(real(2, 5, 3), 2),
            ValueError,
            r"expected \(B, H, W, C\), got \(2, 5, 3\)",
        ),
        (
            lambda: F.max_pool1d(real(2, 5, 3), 6),
            ValueError,
            r"kernel \(6,\) does not fit .*\(2, 5, 3\)",
        ),
        (
            lambda: F.max_pool1d(real(2, 5, 3), 2, 1, 2),
            ValueError,
            r"at most half the kernel \(2,\), got \(2,\)",
        ),
        (
            lambda: F.avg_pool1d(real(2, 5, 3), 0),
            ValueError,
            "kernel of at least 1 per axis, got 0",
        ),
        (lambda: F.max_pool1d(cplx(2, 5, 3), 2), TypeError, "real numbers.*complex128"),
        (lambda: F.adaptive_avg_pool1d(real(2, 5, 3), 0), ValueError, "at least 1 per axis, got 0"),
        (
            lambda: F.adaptive_avg_pool1d(real(2, 0, 3), 2),
            ValueError,
            r"entries to average.*\(2, 0, 3\)",
        ),
        (
            lambda: F.grid_sample(real(2, 5, 5, 3), real(1, 4, 4, 2)),
            ValueError,
            r"got shapes \(2, 5, 5, 3\) and",
        ),
        (
            lambda: F.grid_sample(real(2, 5, 5, 3), real(2, 4, 4, 3)),
            ValueError,
            r"a grid \(B, H', W', 2\)",
        ),
        (
            lambda: F.grid_sample(real(2, 0, 5, 3), real(2, 4, 4, 2)),
            ValueError,
            "images with pixels",
        ),
        (
            lambda: F.grid_sample(real(2, 5, 5, 3), real(2, 4, 4, 2), "wrap"),
            ValueError,
            "got 'wrap'",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
