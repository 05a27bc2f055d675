"""Order along an axis: sort, argsort, the k greatest."""

from typing import Any

from minitx import backend
from minitx.autograd.rules import sorting as rules
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor, wrap, wrap_constant

Like = Any


def argsort(x: Like, axis: int = -1, descending: bool = False) -> Tensor:
    """The indices that sort ``x`` along ``axis``; ties keep their order, NaN is greatest."""
    x, axis = _with_axis(x, axis)
    return wrap(_order(x.data, axis, descending), None)


def sort(x: Like, axis: int = -1, descending: bool = False) -> Tensor:
    """The entries in order along ``axis``. The gradient goes back to where each came from."""
    x, axis = _with_axis(x, axis)
    return rules.pick_(x, indices=_order(x.data, axis, descending), axis=axis)


def topk(x: Like, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    """(values, indices) of the ``k`` greatest entries along ``axis``, greatest first.

    The values have a gradient; of entries that tie for the last place, any may be chosen.
    Raises ValueError when ``k`` is not between 0 and the length of the axis.
    """
    x, axis = _with_axis(x, axis)
    length = x.shape[axis]
    if not 0 <= k <= length:
        raise ValueError(f"topk expected k from 0 to {length}, the length of axis {axis}, got {k}")
    xp = backend.namespace(x.data)
    if 0 < k < length:
        chosen = xp.argpartition(x.data, length - k, axis=axis)
        chosen = xp.sort(xp.take(chosen, xp.arange(length - k, length), axis=axis), axis=axis)
        order = _order(xp.take_along_axis(x.data, chosen, axis), axis, descending=True)
        indices = xp.take_along_axis(chosen, order, axis)
    else:
        indices = xp.take(_order(x.data, axis, descending=True), xp.arange(k), axis=axis)
    return rules.pick_(x, indices=indices, axis=axis), wrap(indices, None)


def _with_axis(x: Like, axis: int) -> tuple[Tensor, int]:
    x = wrap_constant(x)
    if not x.ndim:
        raise ValueError("a Tensor without axes has no order")
    return x, axes_of(axis, x.ndim)[0]


def _order(x, axis, descending):
    xp = backend.namespace(x)
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    turned = xp.argsort(xp.flip(x, axis), axis=axis, kind="stable")
    return xp.flip(x.shape[axis] - 1 - turned, axis)


__all__ = ["argsort", "sort", "topk"]
