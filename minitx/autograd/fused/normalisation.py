"""Layer and RMS normalisation over the last axis, forwards and backwards in one pass each.

Both work on pieces of rows that stay in cache, so that the steps of the backward computation
read main memory once, and keep the normalised rows rather than the rows that they were given.
Where nothing is recorded they work in place, in the result.
"""

from functools import lru_cache

from minitx.autograd import functions as f
from minitx.autograd.fused.common import as_rows, pieces, real_tensors, row_dot
from minitx.autograd.graph import mode
from minitx.autograd.primitive import fused
from minitx.autograd.tensor import Tensor


@lru_cache(maxsize=32)
def _mean(xp, width, dtype):
    """The column (D, 1) that gives the mean of rows as a product, which is faster than a sum."""
    return xp.full((width, 1), 1 / max(width, 1), dtype)


def _layer_norm(xp, x, weight, bias, eps):
    rows, width = as_rows(x), x.shape[-1]
    y = xp.empty(rows.shape, x.dtype)
    hat = xp.empty(rows.shape, x.dtype) if mode.recording else y  # only the way back reads it
    scale, mean = xp.empty((len(rows), 1), x.dtype), _mean(xp, width, x.dtype)
    for part in pieces(*rows.shape):
        here, out = hat[part], y[part]
        xp.subtract(rows[part], rows[part] @ mean, out=here)
        scale[part] = 1 / xp.sqrt(row_dot(xp, here, here) / max(width, 1) + eps)
        here *= scale[part]
        xp.multiply(here, weight, out=out)
        out += bias
    return y.reshape(x.shape), (hat, scale, weight)


def _layer_norm_backward(xp, g, y, residual, x, weight, bias, eps):
    (hat, scale, weight), shape, width = residual, g.shape, g.shape[-1]
    g, gx = as_rows(g), xp.empty_like(hat)
    mean = _mean(xp, width, hat.dtype)
    g_weight, ones = xp.zeros_like(weight), xp.ones(len(hat), hat.dtype)
    for part in pieces(*hat.shape):
        here, out = hat[part], gx[part]
        xp.multiply(g[part], here, out=out)
        g_weight += ones[part] @ out
        xp.multiply(g[part], weight, out=out)
        across = here * (row_dot(xp, out, here) / max(width, 1))
        across += out @ mean
        out -= across
        out *= scale[part]
    return [gx.reshape(shape), g_weight, ones @ g]


def naive_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, step by step."""
    centred = x - f.mean(x, -1, keepdims=True)
    variance = f.mean(f.square(centred), -1, keepdims=True)
    return centred / f.sqrt(variance + eps) * weight + bias


def _rms_norm(xp, x, weight, eps):
    rows, width = as_rows(x), x.shape[-1]
    y = xp.empty(rows.shape, x.dtype)
    hat = xp.empty(rows.shape, x.dtype) if mode.recording else y
    scale = xp.empty((len(rows), 1), x.dtype)
    for part in pieces(*rows.shape):
        scale[part] = 1 / xp.sqrt(row_dot(xp, rows[part], rows[part]) / max(width, 1) + eps)
        xp.multiply(rows[part], scale[part], out=hat[part])
        xp.multiply(hat[part], weight, out=y[part])
    return y.reshape(x.shape), (hat, scale, weight)


def _rms_norm_backward(xp, g, y, residual, x, weight, eps):
    (hat, scale, weight), shape, width = residual, g.shape, g.shape[-1]
    g, gx, g_weight = as_rows(g), xp.empty_like(hat), xp.zeros_like(weight)
    ones = xp.ones(len(hat), hat.dtype)
    for part in pieces(*hat.shape):
        here, out = hat[part], gx[part]
        xp.multiply(g[part], here, out=out)
        g_weight += ones[part] @ out
        xp.multiply(g[part], weight, out=out)
        out -= here * (row_dot(xp, out, here) / max(width, 1))
        out *= scale[part]
    return [gx.reshape(shape), g_weight]


def naive_rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x / sqrt(mean x^2 + eps) * weight, step by step."""
    return x / f.sqrt(f.mean(f.square(x), -1, keepdims=True) + eps) * weight


_layer = fused("layer_norm", _layer_norm, _layer_norm_backward, naive_layer_norm, saves="nothing")
_rms = fused("rms_norm", _rms_norm, _rms_norm_backward, naive_rms_norm, saves="nothing")


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axis.

    x (..., D), weight (D,), bias (D,) -> (..., D). Raises ValueError for other shapes.

    Source: Ba, Kiros and Hinton, "Layer Normalization" (2016): g = weight, b = bias.
    """
    x, weight, bias = real_tensors(x, weight, bias)
    _expect_width("layer_norm", x, weight, bias)
    return _layer(x, weight, bias, eps=eps)


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """x / sqrt(mean x^2 + eps) * weight over the last axis.

    x (..., D), weight (D,) -> (..., D). Raises ValueError for other shapes.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019): g = weight.
    """
    x, weight = real_tensors(x, weight)
    _expect_width("rms_norm", x, weight)
    return _rms(x, weight, eps=eps)


def _expect_width(name, x, *vectors):
    last = x.data.shape[-1:]
    for vector in vectors:
        if not last or vector.data.shape != last:
            width = vector.shape[0] if vector.ndim == 1 else "?"
            raise ValueError(
                f"{name} expected (..., {width}) and vectors of that width, "
                f"got {x.shape} and {vector.shape}"
            )
