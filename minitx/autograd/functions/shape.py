"""Entries moved about: other shapes, other orders of axes, parts and wholes."""

import math
from collections.abc import Sequence
from typing import Any

from minitx import backend
from minitx.autograd.functions.arithmetic import where
from minitx.autograd.functions.creation import full_like
from minitx.autograd.rules import shape as rules
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor, wrap, wrap_constant

Like = Any


def reshape(x: Like, *lengths: Any) -> Tensor:
    """The same entries in another shape; one length may be -1."""
    x = wrap_constant(x)
    wanted = tuple(lengths[0]) if len(lengths) == 1 and not _is_integer(lengths[0]) else lengths
    known = math.prod(n for n in wanted if n != -1)
    fits = x.size == known if -1 not in wanted else known and x.size % known == 0
    if not fits or wanted.count(-1) > 1:
        raise ValueError(f"cannot reshape {x.shape} ({x.size} entries) to {wanted}")
    return rules.reshape_(x, shape=tuple(x.size // known if n == -1 else int(n) for n in wanted))


def transpose(x: Like, *axes: Any) -> Tensor:
    """The axes in another order (reversed if none is given)."""
    x = wrap_constant(x)
    order = axes[0] if len(axes) == 1 and not _is_integer(axes[0]) else axes
    if not order and x.ndim:
        return rules.transpose_(x, axes=tuple(reversed(range(x.ndim))))
    if sorted(i + x.ndim if i < 0 else i for i in order) != list(range(x.ndim)):
        raise ValueError(f"transpose expected all {x.ndim} axes in some order, got {order}")
    return rules.transpose_(x, axes=tuple(int(i) % x.ndim for i in order))


def swapaxes(x: Like, first: int, second: int) -> Tensor:
    """Two axes exchanged."""
    x = wrap_constant(x)
    (first,), (second,) = axes_of(first, x.ndim), axes_of(second, x.ndim)
    return rules.swapaxes_(x, first=first, second=second)


def moveaxis(x: Like, source: int, destination: int) -> Tensor:
    """One axis taken out and put in elsewhere."""
    x = wrap_constant(x)
    (source,), (destination,) = axes_of(source, x.ndim), axes_of(destination, x.ndim)
    order = [i for i in range(x.ndim) if i != source]
    order.insert(destination, source)
    return rules.transpose_(x, axes=tuple(order))


def expand_dims(x: Like, axis: int) -> Tensor:
    """A new axis of length 1."""
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim + 1)
    return rules.reshape_(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))


def squeeze(x: Like, axis: Any = None) -> Tensor:
    """Axes of length 1 left out: all of them, or those named."""
    x = wrap_constant(x)
    axes = axes_of(axis, x.ndim) if axis is not None else range(x.ndim)
    chosen = {i for i in axes if x.shape[i] == 1}
    if axis is not None and len(chosen) < len(axes):
        raise ValueError(f"squeeze expected axes of length 1, got axis {axis} of {x.shape}")
    return rules.reshape_(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in chosen))


def broadcast_to(x: Like, *lengths: Any) -> Tensor:
    """Copies of ``x`` along new axes and axes of length 1."""
    wanted = tuple(lengths[0]) if len(lengths) == 1 and not _is_integer(lengths[0]) else lengths
    return rules.broadcast_to_(wrap_constant(x), shape=wanted)


def concatenate(parts: Sequence[Like], axis: int = 0) -> Tensor:
    """The parts one after the other along ``axis``."""
    parts = _together(parts)
    if not parts:
        raise ValueError("concatenate expected at least one Tensor")
    (axis,) = axes_of(axis, parts[0].ndim)
    for part in parts:
        if part.shape[:axis] + part.shape[axis + 1 :] != _without(parts[0].shape, axis):
            shapes = ", ".join(str(p.shape) for p in parts)
            raise ValueError(
                f"concatenate along axis {axis} expected equal other axes, got {shapes}"
            )
    return rules.concatenate_(*parts, axis=axis, sizes=tuple(part.shape[axis] for part in parts))


def _together(parts: Sequence[Like]) -> list[Tensor]:
    """The parts as Tensors; constants come to the device of the Tensors among them."""
    found = [wrap_constant(part) for part in parts]
    library = next((backend.namespace(x.data) for x in parts if type(x) is Tensor), None)
    if library is None:
        return found
    return [
        x if x is part else wrap(library.asarray(x.data), None) for x, part in zip(found, parts)
    ]


def _without(lengths: tuple, axis: int) -> tuple:
    return lengths[:axis] + lengths[axis + 1 :]


def stack(parts: Sequence[Like], axis: int = 0) -> Tensor:
    """The parts side by side along a new axis."""
    return concatenate([expand_dims(part, axis) for part in _together(parts)], axis)


def split(x: Like, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Equal parts (an integer), or parts of the lengths given, along ``axis``."""
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim)
    n = x.shape[axis]
    if _is_integer(sections):
        if sections < 1 or n % sections:
            raise ValueError(f"cannot split axis {axis} of {x.shape} into {sections} equal parts")
        sections = [n // sections] * sections
    if sum(sections) != n:
        raise ValueError(f"split expected lengths that add up to {n}, got {list(sections)}")
    return list(rules.split_(x, axis=axis, sizes=tuple(int(length) for length in sections)))


def pad(x: Like, width: Sequence, value: float = 0.0) -> Tensor:
    """``value`` before and after each axis: ``width`` holds a pair (before, after) per axis."""
    x = wrap_constant(x)
    width = tuple((int(before), int(after)) for before, after in width)
    if len(width) != x.ndim:
        raise ValueError(f"pad expected {x.ndim} pairs for shape {x.shape}, got {len(width)}")
    padded = rules.pad_(x, width=width)
    if not value:
        return padded
    inside = rules.pad_(full_like(x, True, dtype=bool), width=width)
    return where(inside, padded, value)


def flip(x: Like, axis: Any = None) -> Tensor:
    """Entries in reverse order along ``axis``."""
    x = wrap_constant(x)
    return rules.flip_(x, axis=axes_of(axis, x.ndim))


def roll(x: Like, shift: Any, axis: Any) -> Tensor:
    """Entries moved by ``shift`` along ``axis``; what leaves at one end enters at the other."""
    x = wrap_constant(x)
    shifts = (shift,) if _is_integer(shift) else tuple(shift)
    axes = (axis,) if _is_integer(axis) else tuple(axis)
    return rules.roll_(x, shift=shifts, axis=tuple(axes_of(one, x.ndim)[0] for one in axes))


def repeat(x: Like, repeats: int, axis: int) -> Tensor:
    """Every entry ``repeats`` times in a row along ``axis``: a a b b."""
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim)
    wide = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    return reshape(
        broadcast_to(expand_dims(x, axis + 1), wide),
        (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]),
    )


def tile(x: Like, repeats: int, axis: int) -> Tensor:
    """The whole ``repeats`` times in a row along ``axis``: a b a b."""
    return concatenate([x] * repeats, axis)


def tril(x: Like, offset: int = 0) -> Tensor:
    """The lower triangle of the last two axes; zeros above the diagonal ``offset``."""
    return rules.tril_(wrap_constant(x), offset=offset)


def triu(x: Like, offset: int = 0) -> Tensor:
    """The upper triangle of the last two axes; zeros below the diagonal ``offset``."""
    return rules.triu_(wrap_constant(x), offset=offset)


def _is_integer(value: Any) -> bool:
    return hasattr(value, "__index__")


__all__ = [
    "reshape", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "broadcast_to",
    "concatenate", "stack", "split", "pad", "flip", "roll", "repeat", "tile", "tril", "triu",
]  # fmt: skip
