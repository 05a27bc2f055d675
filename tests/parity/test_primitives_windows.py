"""Convolutions, pooling and grid sampling beside PyTorch: values and every gradient."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity
theirs = torch.nn.functional
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}


def first(x):
    """Channels first, as PyTorch has them."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


# name: (ours, PyTorch's, shapes of the arguments); images here have their channels last
CASES = {
    "conv1d": (
        lambda x, w, b: F.conv1d(x, w, b, 2, 1, 3),
        lambda x, w, b: last(theirs.conv1d(first(x), w, b, 2, 1, 3)),
        [(2, 13, 3), (5, 3, 4), (5,)],
    ),
    "conv1d, same": (
        lambda x, w: F.conv1d(x, w, padding="same", dilation=3),
        lambda x, w: last(theirs.conv1d(first(x), w, padding="same", dilation=3)),
        [(2, 11, 3), (5, 3, 5)],
    ),
    "conv1d, depthwise": (
        lambda x, w: F.conv1d(x, w, None, 2, 3, 1, 6),
        lambda x, w: last(theirs.conv1d(first(x), w, None, 2, 3, 1, 6)),
        [(2, 11, 6), (6, 1, 4)],
    ),
    "conv1d, two kernels a channel": (
        lambda x, w: F.conv1d(x, w, groups=3),
        lambda x, w: last(theirs.conv1d(first(x), w, groups=3)),
        [(2, 11, 3), (6, 1, 4)],
    ),
    "conv2d": (
        lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 2), (1, 3)),
        lambda x, w, b: last(theirs.conv2d(first(x), w, b, (2, 1), (1, 2), (1, 3))),
        [(2, 7, 9, 3), (5, 3, 2, 4), (5,)],
    ),
    "conv2d, groups": (
        lambda x, w: F.conv2d(x, w, None, 1, 1, 1, 2),
        lambda x, w: last(theirs.conv2d(first(x), w, None, 1, 1, 1, 2)),
        [(2, 5, 7, 4), (6, 2, 3, 2)],
    ),
    "conv2d, depthwise": (
        lambda x, w: F.conv2d(x, w, None, (1, 2), 1, (2, 1), 5),
        lambda x, w: last(theirs.conv2d(first(x), w, None, (1, 2), 1, (2, 1), 5)),
        [(2, 6, 7, 5), (5, 1, 3, 2)],
    ),
    "conv_transpose1d": (
        lambda x, w, b: F.conv_transpose1d(x, w, b, 3, 1, 2, 2, 2),
        lambda x, w, b: last(theirs.conv_transpose1d(first(x), w, b, 3, 1, 2, 2, 2)),
        [(2, 5, 4), (4, 3, 3), (6,)],
    ),
    "conv_transpose2d": (
        lambda x, w: F.conv_transpose2d(x, w, None, (2, 3), 1, (1, 0)),
        lambda x, w: last(theirs.conv_transpose2d(first(x), w, None, (2, 3), 1, (1, 0))),
        [(2, 3, 4, 5), (5, 2, 4, 3)],
    ),
    "max_pool1d": (
        lambda x: F.max_pool1d(x, 3, 2, 1),
        lambda x: last(theirs.max_pool1d(first(x), 3, 2, 1)),
        [(2, 11, 3)],
    ),
    "max_pool2d": (
        lambda x: F.max_pool2d(x, (3, 2), (1, 2), (1, 0)),
        lambda x: last(theirs.max_pool2d(first(x), (3, 2), (1, 2), (1, 0))),
        [(2, 7, 8, 3)],
    ),
    "avg_pool1d": (
        lambda x: F.avg_pool1d(x, 3, 2, 1),
        lambda x: last(theirs.avg_pool1d(first(x), 3, 2, 1)),
        [(2, 11, 3)],
    ),
    "avg_pool2d": (
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_padding=False),
        lambda x: last(theirs.avg_pool2d(first(x), 3, 2, 1, count_include_pad=False)),
        [(2, 7, 8, 3)],
    ),
    "adaptive_avg_pool1d": (
        lambda x: F.adaptive_avg_pool1d(x, 3),
        lambda x: last(theirs.adaptive_avg_pool1d(first(x), 3)),
        [(2, 7, 5)],
    ),
    "adaptive_avg_pool2d": (
        lambda x: F.adaptive_avg_pool2d(x, (3, 9)),
        lambda x: last(theirs.adaptive_avg_pool2d(first(x), (3, 9))),
        [(2, 7, 8, 5)],
    ),
    "unfold": (
        lambda x: F.unfold(x, (3, 2), 2, 1),
        lambda x: (
            theirs.unfold(first(x), (3, 2), padding=1, stride=2)
            .reshape(2, 3, 3, 2, 4, 5)
            .permute(0, 4, 5, 2, 3, 1)
        ),
        [(2, 8, 8, 3)],
    ),
    **{
        f"grid_sample, {padding}, {corners}": (
            lambda x, g, p=padding, c=corners: F.grid_sample(x, g, p, c),
            lambda x, g, p=padding, c=corners: last(
                theirs.grid_sample(first(x), g, padding_mode=p, align_corners=c)
            ),
            [(2, 5, 7, 3), (2, 4, 6, 2)],
        )
        for padding in ("zeros", "border")
        for corners in (True, False)
    },
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_windows(name, dtype, rng):
    ours, reference, shapes = CASES[name]
    arrays = [rng.uniform(-1.3, 1.3, shape).astype(dtype) for shape in shapes]
    mine = [Tensor(x, dtype=dtype, requires_grad=True) for x in arrays]
    other = [torch.tensor(x, requires_grad=True) for x in arrays]
    y, expected = ours(*mine), reference(*other)
    assert y.shape == tuple(expected.shape)
    g = rng.standard_normal(y.shape).astype(dtype)
    y.backward(g)
    expected.backward(torch.tensor(g))
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype] * 4}
    np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), **close)
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), **close)
