"""Softmax and its logarithm, without overflow: the greatest score of a row is subtracted first."""

from minitx.autograd import functions as f
from minitx.autograd.fused.common import real_tensors
from minitx.autograd.primitive import fused
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor


def softmax_in_place(xp, scores, axis=-1):
    """Overwrite ``scores`` by their softmax; a row that is -inf throughout becomes zeros."""
    if not scores.shape[axis]:
        return scores  # a choice among nothing: there is no maximum to look for
    top = scores.max(axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0)
    scores -= top
    xp.exp(scores, out=scores)
    total = scores.sum(axis=axis, keepdims=True)
    scores /= xp.where(total > 0, total, 1)
    return scores


def _softmax(xp, x, axis):
    return softmax_in_place(xp, x.copy(), axis), None


def _softmax_backward(xp, g, y, _, x, axis):
    gy = g * y
    gy -= y * gy.sum(axis=axis, keepdims=True)
    return [gy]


def naive_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x - max) / sum exp(x - max), step by step; a row that is -inf throughout gives zeros."""
    if not x.shape[axis]:
        return x
    top = f.max(x, axis, keepdims=True).detach()
    weights = f.exp(x - f.where(f.isfinite(top), top, 0))
    total = f.sum(weights, axis, keepdims=True)
    return weights / f.where(total > 0, total, 1)


def _log_softmax(xp, x, axis):
    if not x.shape[axis]:
        return x, None
    top = x.max(axis=axis, keepdims=True)
    y = x - top
    y -= xp.log(xp.exp(y).sum(axis=axis, keepdims=True))
    return y, None


def _log_softmax_backward(xp, g, y, _, x, axis):
    return [g - xp.exp(y) * g.sum(axis=axis, keepdims=True)]


def naive_log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """x - log sum exp(x)."""
    return x - f.logsumexp(x, axis, keepdims=True)


_softmax_ = fused("softmax", _softmax, _softmax_backward, naive_softmax)
_log_softmax_ = fused("log_softmax", _log_softmax, _log_softmax_backward, naive_log_softmax)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x) / sum exp(x) along ``axis``: positive weights that add up to 1.

    A row in which every score is -inf has nothing to choose from, and gives zeros, not NaN.
    """
    (x,) = real_tensors(x)
    return _softmax_(x, axis=axes_of(axis, x.ndim)[0])


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """log softmax(x) = x - log sum exp(x) along ``axis``."""
    (x,) = real_tensors(x)
    return _log_softmax_(x, axis=axes_of(axis, x.ndim)[0])
