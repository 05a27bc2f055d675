"""Entries picked by index, and added up where an index points."""

from typing import Any

from minitx import backend
from minitx.autograd.rules import indexing as rules
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index], for any index that NumPy takes; a Tensor may be an index."""
    return rules.getitem(x, index=_beside(x, index))


def _beside(x: Tensor, index: Any) -> Any:
    """``index`` in arrays of the library that ``x`` belongs to."""
    if isinstance(index, tuple):
        return tuple(_beside(x, part) for part in index)
    if isinstance(index, Tensor):
        index = index.data
    return backend.namespace(x.data).asarray(index) if backend.is_array(index) else index


def scatter_add(values: Like, index: Any, shape: tuple[int, ...]) -> Tensor:
    """Zeros of ``shape`` to which ``values`` are added at ``index``; repeats add up."""
    values = wrap_constant(values)
    return rules.scatter_add(values, index=_beside(values, index), shape=tuple(shape))


def take_along_axis(x: Like, indices: Like, axis: int) -> Tensor:
    """x's entries at ``indices`` along ``axis``; the other axes are matched."""
    x, indices = wrap_constant(x), wrap_constant(indices)
    (axis,) = axes_of(axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ValueError(f"expected indices of {x.ndim} axes for {x.shape}, got {indices.shape}")
    xp = backend.namespace(indices.data)
    grid = []
    for i in range(x.ndim):
        along = [1] * x.ndim
        along[i] = -1
        grid.append(indices.data if i == axis else xp.arange(x.shape[i]).reshape(along))
    if any(
        n != m and m != 1
        for i, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True))
        if i != axis
    ):
        raise ValueError(f"indices {indices.shape} do not match {x.shape} off axis {axis}")
    return getitem(x, tuple(grid))


def embedding(table: Tensor, ids: Like) -> Tensor:
    """Rows of ``table`` (V, D) for ``ids`` of any shape: (..., D)."""
    table, ids = wrap_constant(table), wrap_constant(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"embedding expected integer ids, got {ids.dtype}")
    readable = ids.size and backend.may_be_read(ids.data)
    if readable and (ids.data.min() < 0 or ids.data.max() >= table.shape[0]):
        raise IndexError(
            f"embedding expected ids from 0 to {table.shape[0] - 1}, "
            f"got {int(ids.data.min())} to {int(ids.data.max())}"
        )
    return rules.embedding_(table, ids=_beside(table, ids))


__all__ = [
    "getitem", "scatter_add", "take_along_axis", "embedding",
]  # fmt: skip
