"""Primitives that make an axis disappear: sums, means, extremes, softmax's sum.

The public functions take ``axis`` as an integer, a tuple or None (all axes), and ``keepdims``,
as NumPy's do. Inside, an axis is always a sorted tuple of non-negative numbers, and every rule
speaks of reductions that keep their axes: the cotangent is first given its axes back.
"""

from typing import Any

from minitx.autograd.primitive import primitive


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """``axis`` (integer, tuple or None for all) as a sorted tuple of non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    chosen = (axis,) if isinstance(axis, int) or hasattr(axis, "__index__") else tuple(axis)
    for one in chosen:
        if not -ndim <= one < ndim:
            raise ValueError(f"axis {one} does not exist in a Tensor of {ndim} axes")
    found = tuple(sorted(int(one) % ndim for one in chosen))
    if len(set(found)) != len(found):
        raise ValueError(f"expected different axes, got {axis}")
    return found


def kept(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape after a reduction over ``axis`` that keeps its axes with length 1."""
    if axis is None:
        return (1,) * len(shape)
    chosen = {one % len(shape) for one in axis} if shape else set()
    return tuple(1 if i in chosen else length for i, length in enumerate(shape))


def spread(F, g, x, axis):
    """The cotangent of a reduction, with the axes of length 1 put back."""
    return F.reshape(g, shape=kept(x.shape, axis))


def count(x, axis) -> int:
    """How many entries of ``x`` meet in one entry of a reduction over ``axis``."""
    total = 1
    for one in range(len(x.shape)) if axis is None else axis:
        total *= x.shape[one]
    return total


def _sum_vjp(F, g, y, x, axis=None, keepdims=False):
    return F.broadcast_to(spread(F, g, x, axis), shape=x.shape)


def _mean(xp, x, axis=None, keepdims=False):
    return xp.sum(x, axis=axis, keepdims=keepdims) / max(count(x, axis), 1)


def _mean_vjp(F, g, y, x, axis=None, keepdims=False):
    return F.broadcast_to(spread(F, g, x, axis) / max(count(x, axis), 1), shape=x.shape)


def _extreme_vjp(F, g, y, x, axis=None, keepdims=False):
    """Entries that tie for the extreme share its cotangent equally."""
    chosen = F.astype(x == spread(F, y, x, axis), dtype=x.dtype)
    return spread(F, g, x, axis) * chosen / F.sum(chosen, axis=axis, keepdims=True)


def _logsumexp(xp, x, axis=None, keepdims=False):
    if not count(x, axis):  # the sum over nothing is 0, and its logarithm -inf
        return xp.full(xp.sum(x, axis=axis, keepdims=keepdims).shape, -xp.inf, x.dtype)
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0)  # a row of -inf has the sum log 0 = -inf
    total = xp.sum(xp.exp(x - top), axis=axis, keepdims=True)
    found = xp.where(total > 0, xp.log(xp.where(total > 0, total, 1)) + top, -xp.inf)
    return found if keepdims else xp.squeeze(found, axis)


def _logsumexp_vjp(F, g, y, x, axis=None, keepdims=False):
    total = spread(F, y, x, axis)
    total = F.where(total > float("-inf"), total, 0)
    return spread(F, g, x, axis) * F.exp(x - total)


# fmt: off
sum_ = primitive("sum",
    lambda xp, x, axis=None, keepdims=False: xp.sum(x, axis=axis, keepdims=keepdims),
    vjp=_sum_vjp, kind="linear", saves="nothing")
mean_ = primitive("mean", _mean, vjp=_mean_vjp, kind="linear", saves="nothing", meets="float")
max_ = primitive("max",
    lambda xp, x, axis=None, keepdims=False: xp.max(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp)
min_ = primitive("min",
    lambda xp, x, axis=None, keepdims=False: xp.min(x, axis=axis, keepdims=keepdims),
    vjp=_extreme_vjp)
logsumexp_ = primitive("logsumexp", _logsumexp, vjp=_logsumexp_vjp, meets="float")
# fmt: on
