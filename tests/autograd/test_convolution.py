"""Convolutions against plain loops; their derivatives; patches; arguments that do not fit."""

import itertools

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, prove, real

CASES = {"conv", "conv_input", "conv_weight", "unfold", "fold"}
# (stride, padding, dilation, groups), for 6 channels
SEQUENCES = [(1, 0, 1, 1), (2, 1, 1, 2), (3, ((2, 1),), 2, 3), (1, "same", 2, 1),
             (1, "causal", 1, 6), (2, ((0, 3),), 2, 6)]  # fmt: skip
IMAGES = [(1, "valid", 1, 1), ((2, 1), (1, 2), 1, 2), (1, "same", (1, 2), 1),
          ((3, 2), ((2, 1), (0, 3)), (1, 2), 4)]  # fmt: skip


def by_loops(x, w, stride, padding, dilation, groups):
    """The sum that defines a convolution, index by index; stride and so on one per axis."""
    x = np.pad(x, [(0, 0), *padding, (0, 0)])
    kernel, per = w.shape[2:], w.shape[0] // groups
    out = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], kernel, stride, dilation, strict=True)
    ]
    y = np.zeros((len(x), *out, len(w)), x.dtype)
    for o in range(len(w)):
        first = o // per * w.shape[1]
        for t in itertools.product(*map(range, out)):
            for k in itertools.product(*map(range, kernel)):
                at = tuple(a * s + b * d for a, s, b, d in zip(t, stride, k, dilation, strict=True))
                seen = x[(slice(None), *at, slice(first, first + w.shape[1]))]
                y[(slice(None), *t, o)] += seen @ w[(o, slice(None), *k)]
    return y


def around(padding, kernel, dilation):
    spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if padding == "same":
        return [(span // 2, span - span // 2) for span in spans]
    if padding == "causal":
        return [(span, 0) for span in spans]
    pairs = (0,) * len(kernel) if padding == "valid" else padding
    pairs = pairs if isinstance(pairs, tuple) else (pairs,) * len(kernel)
    return [p if isinstance(p, tuple) else (p, p) for p in pairs]


def each(value, ndim):
    return value if isinstance(value, tuple) else (value,) * ndim


@pytest.mark.parametrize("make", [real, cplx])
@pytest.mark.parametrize("how", SEQUENCES)
def test_conv1d(how, make):
    stride, padding, dilation, groups = how
    x, bias = make(2, 11, 6), make(12)
    w = make(12 if groups != 6 else 6, 6 // groups, 4)
    bias = bias[: w.shape[0]].detach()
    prove("conv", lambda *a: F.conv1d(*a, *how), x, w, bias)
    pads = around(padding, (4,), (dilation,))
    expected = by_loops(x.numpy(), w.numpy(), (stride,), pads, (dilation,), groups) + bias.numpy()
    np.testing.assert_allclose(F.conv1d(x, w, bias, *how).numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [real, cplx])
@pytest.mark.parametrize("how", IMAGES)
def test_conv2d(how, make):
    stride, padding, dilation, groups = how
    x, w = make(2, 7, 8, 4), make(6 if groups != 4 else 4, 4 // groups, 2, 3)
    prove("conv", lambda x, w: F.conv2d(x, w, None, *how), x, w)
    dilations = each(dilation, 2)
    pads = around(padding, (2, 3), dilations)
    expected = by_loops(x.numpy(), w.numpy(), each(stride, 2), pads, dilations, groups)
    np.testing.assert_allclose(F.conv2d(x, w, None, *how).numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [real, cplx])
@pytest.mark.parametrize("how", [how for how in SEQUENCES if not isinstance(how[1], str)])
def test_transposed_convolution_is_the_transpose(how, make):
    """<conv(x), y> = <x, conv_transpose(y)> for the same weight, without conjugates."""
    stride, padding, dilation, groups = how
    x, w = make(2, 11, 6), make(12 if groups != 6 else 6, 6 // groups, 4)
    forward = F.conv1d(x, w, None, *how).numpy()
    y = make(*forward.shape, seed=1)
    pads = sum(around(padding, (4,), (dilation,))[0])
    extra = 11 - ((forward.shape[1] - 1) * stride - pads + dilation * 3 + 1)
    back = F.conv_transpose1d(y, w, None, stride, padding, extra, groups, dilation).numpy()
    assert back.shape == x.shape
    np.testing.assert_allclose((forward * y.numpy()).sum(), (x.numpy() * back).sum())


@pytest.mark.parametrize("make", [real, cplx])
def test_gradients_of_transposed_convolutions(make):
    prove("conv_input", lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1, 2, 3),
          make(2, 5, 4), make(4, 3, 3), make(6))  # fmt: skip
    prove("conv_input", lambda x, w: F.conv_transpose1d(x, w, None, 3, 1, 2, 4),
          make(2, 5, 4), make(4, 1, 5))  # fmt: skip
    prove("conv_input", lambda x, w: F.conv_transpose2d(x, w, None, (2, 3), 1, (1, 0)),
          make(2, 3, 4, 5), make(5, 2, 4, 3))  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_gradients_with_respect_to_the_weight_have_gradients(groups):
    from minitx.autograd.rules.convolution import conv_weight_

    how = {"stride": (2,), "padding": ((1, 2),), "dilation": (2,), "groups": groups, "kernel": (3,)}
    for make in (real, cplx):
        prove("conv_weight", lambda x, y: conv_weight_(x, y, **how), make(2, 9, 4), make(2, 4, 4))


@pytest.mark.parametrize(("left", "right"), [(real, cplx), (cplx, real)])
def test_real_meets_complex(left, right):
    for groups in (1, 2, 4):
        w = right(4, 4 // groups, 3)
        check_grads(lambda x, w, g=groups: F.conv1d(x, w, None, 2, 1, 1, g), left(2, 7, 4), w)
        check_grads(lambda x, w, g=groups: F.conv_transpose1d(x, w, None, 2, 1, 0, g),
                    left(2, 5, 4), w)  # fmt: skip


def test_a_kernel_of_one_is_a_linear_map():
    x, w = real(2, 5, 3), real(7, 3, 1)
    np.testing.assert_allclose(F.conv1d(x, w).numpy(), F.linear(x, w[..., 0]).numpy())


def test_same_keeps_lengths_and_causal_never_looks_ahead():
    x, w = real(2, 9, 3), real(4, 3, 4)
    assert F.conv1d(x, w, padding="same", dilation=2).shape == (2, 9, 4)
    changed = Tensor(x, dtype=np.float64).numpy().copy()
    changed[:, 5:] += 1
    before = F.conv1d(x, w, padding="causal").numpy()
    after = F.conv1d(Tensor(changed, dtype=np.float64), w, padding="causal").numpy()
    assert (before[:, :5] == after[:, :5]).all()
    assert (before[:, 5:] != after[:, 5:]).all()


@pytest.mark.parametrize(
    ("x", "w", "shape"),
    [((0, 5, 3), (4, 3, 2), (0, 4, 4)), ((2, 5, 0), (4, 0, 2), (2, 4, 4)),
     ((2, 5, 3), (0, 3, 2), (2, 4, 0)), ((1, 1, 1), (1, 1, 1), (1, 1, 1))],
)  # fmt: skip
def test_axes_of_length_zero_and_one(x, w, shape):
    x, w = real(*x), real(*w)
    assert F.conv1d(x, w).shape == shape
    check_grads(F.conv1d, x, w)


def test_unfold():
    x = real(2, 7, 8, 3)
    how = {"stride": (1, 2), "padding": 1, "dilation": (2, 1)}
    windows = F.unfold(x, (3, 2), **how)
    assert windows.shape == (2, 5, 5, 3, 2, 3)
    w = real(5, 3, 3, 2)
    np.testing.assert_allclose(
        F.einsum("bxyijc,ocij->bxyo", windows, w).numpy(), F.conv2d(x, w, None, **how).numpy()
    )
    for make in (real, cplx):
        prove("unfold", lambda x: F.unfold(x, (3, 2), **how), make(2, 7, 8, 3))
        prove("unfold", lambda x: F.unfold(x, 3, padding="causal"), make(2, 5, 3))
    assert F.unfold(Tensor(np.arange(6).reshape(1, 6, 1)), 3).dtype == np.int64


def test_fold_adds_up_overlapping_windows():
    from minitx.autograd.rules.unfolding import fold_

    how = {"lengths": (7,), "kernel": (3,), "stride": (2,), "padding": ((1, 0),), "dilation": (1,)}
    prove("fold", lambda y: fold_(y, **how), real(2, 3, 3, 5))


def test_float32_stays_float32():
    x, w = Tensor(np.ones((2, 5, 3)), requires_grad=True), Tensor(np.ones((4, 3, 2)))
    y = F.conv1d(x, w, np.ones(4), padding=1)
    assert y.dtype == np.float32
    F.sum(y).backward()
    assert x.grad.dtype == np.float32
    assert F.conv1d(Tensor(np.ones((2, 5, 3), int)), w).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.conv1d(real(2, 5, 3), real(4, 2, 2)), r"expected 2 channels .*\(2, 5, 3\)"),
        (lambda: F.conv1d(real(5, 3), real(4, 3, 2)), r"expected \(B, T, C\).*\(5, 3\)"),
        (lambda: F.conv2d(real(2, 5, 3), real(4, 3, 2, 2)), r"expected \(B, H, W, C\)"),
        (
            lambda: F.conv1d(real(2, 5, 3), real(4, 3, 6)),
            r"kernel \(6,\) does not fit .*\(2, 5, 3\)",
        ),
        (
            lambda: F.conv1d(real(2, 5, 3), real(4, 3, 2), real(3)),
            r"bias of shape \(4,\), got \(3,\)",
        ),
        (lambda: F.conv1d(real(2, 5, 3), real(4, 3, 2), stride=0), "stride of at least 1.*got 0"),
        (lambda: F.conv1d(real(2, 5, 3), real(4, 3, 2), padding=-1), "padding .*got -1"),
        (lambda: F.conv1d(real(2, 5, 3), real(4, 3, 2), padding="full"), "padding .*got 'full'"),
        (lambda: F.conv1d(real(2, 5, 3), real(4, 3, 2), stride=2, padding="same"), "stride 1 with"),
        (
            lambda: F.conv2d(real(2, 5, 5, 3), real(4, 3, 2, 2), stride=(1, 2, 3)),
            r"got \(1, 2, 3\)",
        ),
        (lambda: F.conv1d(real(2, 5, 4), real(3, 2, 2), groups=2), "4 channels and outputs in 2"),
        (lambda: F.conv1d(real(2, 5, 4), real(4, 4, 2), groups=0), "groups of at least 1, got 0"),
        (lambda: F.conv_transpose1d(real(2, 5, 3), real(4, 2, 2)), r"expected 4 channels"),
        (lambda: F.conv_transpose1d(real(2, 5, 3), real(3, 2, 2), output_padding=1), "below"),
        (lambda: F.unfold(real(2, 5), 2), r"expected \(B, T, C\) or \(B, H, W, C\)"),
        (lambda: F.unfold(real(2, 5, 3), 6), "does not fit"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("weight", [(4, 1, 3), (6, 2, 3)])  # a kernel for each channel; groups
def test_all_derivatives_stay_on_the_device(weight, standin):
    from minitx.autograd.transforms import grad

    def penalty(x, w):
        return F.sum(F.square(F.conv1d(x, w, stride=2, padding=2, groups=4 // w.shape[1])))

    def twice(array):
        x, w = (array(v.numpy().astype(np.float32)) for v in (real(2, 9, 4), real(*weight)))
        return grad(lambda x: F.sum(F.square(grad(lambda w: penalty(x, w))(w))))(x)

    there = twice(standin.tensor)
    assert there.device == "cuda"
    np.testing.assert_allclose(there.numpy(), twice(Tensor).numpy(), rtol=1e-5)
