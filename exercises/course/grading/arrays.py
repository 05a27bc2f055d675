"""Arrays as JSON: their numbers with the strides that they had, and views of an argument as views.

A function may be asked not to copy. So a result that lies in the memory of an argument is sent as
where it lies there, and is made again, at the other end, in the memory of the same argument.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

NUMBERS = "biufc"  # kinds of numbers that an array may hold on its way


def pack_array(value: np.ndarray | np.generic) -> list[Any]:
    """[dtype, shape, strides, the numbers in order]."""
    raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    return [value.dtype.str, list(value.shape), list(value.strides), raw]


def unpack_array(body: list[Any]) -> np.ndarray:
    """The array, with its strides if they are positive and not far apart."""
    name, shape, strides, raw = body
    dtype = _dtype(name)
    plain = np.frombuffer(base64.b64decode(raw), dtype).reshape(shape)
    span = _span(plain.shape, strides, dtype)
    if plain.size == 0 or min(strides, default=1) <= 0 or span > 64 * plain.nbytes:
        return plain.copy()
    spread = np.ndarray(plain.shape, dtype, bytearray(span), strides=strides)
    spread[...] = plain
    return spread


def pack_view(value: np.ndarray, arguments: Sequence[Any]) -> list[Any] | None:
    """[which argument, offset in it, dtype, shape, strides, writeable]; None if it is no view."""
    for place, lent in enumerate(arguments):
        if isinstance(lent, np.ndarray) and lent.size and np.may_share_memory(value, lent):
            offset = value.__array_interface__["data"][0] - lent.__array_interface__["data"][0]
            where = [offset, value.dtype.str, list(value.shape), list(value.strides)]
            return [place, *where, value.flags.writeable]
    return None


def unpack_view(body: list[Any], arguments: Sequence[Any]) -> np.ndarray:
    """The same place in the memory of the argument; NumPy raises if it is not inside."""
    place, offset, name, shape, strides, writeable = body
    lent = arguments[place]
    if not isinstance(lent, np.ndarray) or min(lent.strides, default=1) <= 0:
        raise ValueError("a view of what is no array, or of one whose strides are not positive")
    first = lent[(slice(1),) * lent.ndim].reshape(-1).view(np.uint8)
    memory = np.lib.stride_tricks.as_strided(first, (_span(lent.shape, lent.strides, lent.dtype),))
    view = np.ndarray(shape, _dtype(name), memory, offset, strides)
    view.flags.writeable = bool(writeable)
    return view


def _dtype(name: Any) -> np.dtype[Any]:
    dtype = np.dtype(str(name))
    if dtype.kind not in NUMBERS:
        raise ValueError(f"an array of {dtype}")
    return dtype


def _span(shape: Sequence[int], strides: Sequence[int], dtype: np.dtype[Any]) -> int:
    """How many bytes from the first number to the end of the last."""
    return dtype.itemsize + sum((n - 1) * step for n, step in zip(shape, strides))
