"""Pooling over the windows of a sequence (B, T, C) or an image (B, H, W, C), channel by channel."""

import math
from typing import Any

from minitx import backend
from minitx.autograd.functions.arithmetic import astype
from minitx.autograd.functions.convolution import Lengths, per_axis
from minitx.autograd.functions.creation import full_like
from minitx.autograd.functions.products import matmul
from minitx.autograd.functions.shape import reshape
from minitx.autograd.rules.convolution import conv_, lengths_after
from minitx.autograd.rules.pooling import max_pool_
from minitx.autograd.tensor import Tensor, wrap, wrap_constant
from minitx.backend import get_default_dtype

Like = Any


def max_pool1d(x: Like, kernel: int, stride: int | None = None, padding: int = 0) -> Tensor:
    """The greatest entry of every window: (B, T, C) -> (B, T', C), T' = (T + 2p - k) // s + 1.

    ``stride`` is ``kernel`` unless given; padding is never chosen. Of entries that tie, the first
    has the gradient. Raises ValueError when the axes or lengths do not fit.
    """
    return _max_pool("max_pool1d", 1, x, kernel, stride, padding)


def max_pool2d(x: Like, kernel: Lengths, stride: Lengths | None = None,
               padding: Lengths = 0) -> Tensor:  # fmt: skip
    """The greatest entry of every window: (B, H, W, C) -> (B, H', W', C)."""
    return _max_pool("max_pool2d", 2, x, kernel, stride, padding)


def avg_pool1d(x: Like, kernel: int, stride: int | None = None, padding: int = 0,
               count_padding: bool = True) -> Tensor:  # fmt: skip
    """The mean of every window: (B, T, C) -> (B, T', C).

    Zeros of the padding count as entries, unless ``count_padding`` is False.
    """
    return _avg_pool("avg_pool1d", 1, x, kernel, stride, padding, count_padding)


def avg_pool2d(x: Like, kernel: Lengths, stride: Lengths | None = None, padding: Lengths = 0,
               count_padding: bool = True) -> Tensor:  # fmt: skip
    """The mean of every window: (B, H, W, C) -> (B, H', W', C)."""
    return _avg_pool("avg_pool2d", 2, x, kernel, stride, padding, count_padding)


def adaptive_avg_pool1d(x: Like, length: int) -> Tensor:
    """Means over ``length`` windows that cover T evenly: (B, T, C) -> (B, length, C).

    Window i holds the entries from floor(i T / length) up to ceil((i + 1) T / length).
    """
    x = _real_or_complex(_images("adaptive_avg_pool1d", 1, x))
    (length,) = per_axis("adaptive_avg_pool1d", "length", length, 1)
    return matmul(_means(x, x.shape[1], length), x)


def adaptive_avg_pool2d(x: Like, lengths: Lengths) -> Tensor:
    """Means over a grid of windows that cover the image evenly: (B, H, W, C) -> (B, H', W', C)."""
    x = _real_or_complex(_images("adaptive_avg_pool2d", 2, x))
    batch, height, width, channels = x.shape
    rows, columns = per_axis("adaptive_avg_pool2d", "lengths", lengths, 2)
    x = matmul(_means(x, height, rows), reshape(x, batch, height, width * channels))
    x = matmul(_means(x, width, columns), reshape(x, batch * rows, width, channels))
    return reshape(x, batch, rows, columns, channels)


def _means(x: Tensor, n: int, length: int) -> Tensor:
    """The matrix (length, n) that averages the entries of each window."""
    if not n:
        raise ValueError(f"adaptive pooling expected entries to average, got shape {x.shape}")
    xp = backend.namespace(x.data)
    i, t = xp.arange(length)[:, None], xp.arange(n)
    within = (t >= i * n // length) & (t < -(-(i + 1) * n // length))
    return wrap((within / within.sum(axis=1, keepdims=True)).astype(x.dtype), None)


def _max_pool(name, ndim, x, kernel, stride, padding):
    x, how = _read(name, ndim, x, kernel, stride, padding)
    if x.dtype.kind not in "iuf":
        raise TypeError(f"{name} expected real numbers, which have an order, got {x.dtype}")
    return max_pool_(x, **how)


def _avg_pool(name, ndim, x, kernel, stride, padding, count_padding):
    """A convolution of every channel with a kernel of equal weights that add up to 1."""
    x, how = _read(name, ndim, x, kernel, stride, padding)
    x, kernel = _real_or_complex(x), how.pop("kernel")
    how.update(dilation=(1,) * ndim, groups=x.shape[-1])
    weight = full_like(x, 1 / math.prod(kernel), shape=(x.shape[-1], 1, *kernel))
    found = conv_(x, weight, **how)
    if count_padding:
        return found
    return found / conv_(full_like(x, 1, shape=(1, *x.shape[1:])), weight, **how)


def _real_or_complex(x: Tensor) -> Tensor:
    return x if x.dtype.kind in "fc" else astype(x, get_default_dtype())


def _images(name, ndim, x) -> Tensor:
    x = wrap_constant(x)
    if x.ndim != ndim + 2:
        raise ValueError(
            f"{name} expected {('(B, T, C)', '(B, H, W, C)')[ndim - 1]}, got {x.shape}"
        )
    return x


def _read(name, ndim, x, kernel, stride, padding) -> tuple[Tensor, dict]:
    x = _images(name, ndim, x)
    kernel = per_axis(name, "kernel", kernel, ndim)
    stride = kernel if stride is None else per_axis(name, "stride", stride, ndim)
    before = per_axis(name, "padding", padding, ndim, least=0)
    if any(2 * p > k for p, k in zip(before, kernel)):
        raise ValueError(
            f"{name} expected padding of at most half the kernel {kernel}, got {before}"
        )
    around = tuple((p, p) for p in before)
    if min(lengths_after(x.shape[1:-1], kernel, stride, around, (1,) * ndim)) < 1:
        raise ValueError(f"{name} with a kernel {kernel} does not fit an input of shape {x.shape}")
    return x, {"kernel": kernel, "stride": stride, "padding": around}


__all__ = [
    "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
]  # fmt: skip
