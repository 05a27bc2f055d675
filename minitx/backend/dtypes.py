"""Number types: float32 unless asked otherwise, and float32 stays float32.

NumPy widens easily: an integer array, a ``numpy.float64`` scalar or a constant table turns a
float32 computation into float64, at half the speed and twice the memory. Here a *constant* (an
array or a NumPy scalar, not a Tensor) takes the type of the Tensor that it meets, and two Tensors
meet as PyTorch's do: the higher kind wins (bool < integer < real < complex), and within a kind
the wider type.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_COMPLEX_OF = {"float16": "complex64", "float32": "complex64", "float64": "complex128"}
_default = numpy.dtype(numpy.float32)


def get_default_dtype() -> numpy.dtype:
    """The type that Python floats and untyped float64 arrays take; float32 at the start."""
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Make ``dtype`` (float32 or float64) the type of new floating Tensors."""
    global _default
    chosen = numpy.dtype(dtype)
    if chosen not in (numpy.float32, numpy.float64):
        raise TypeError(f"the default dtype must be float32 or float64, got {chosen}")
    _default = chosen


@contextmanager
def default_dtype(dtype: Any) -> Iterator[None]:
    """Within the block, new floating Tensors have ``dtype``."""
    before = _default
    set_default_dtype(dtype)
    try:
        yield
    finally:
        set_default_dtype(before)


def as_dtype(dtype: Any) -> numpy.dtype:
    """``dtype`` as a numpy.dtype; a TypeError that names it when it is not a number type."""
    found = numpy.dtype(dtype)
    if found.kind not in _KINDS:
        raise TypeError(f"expected a boolean, integer, real or complex dtype, got {found}")
    return found


def natural_dtype(dtype: numpy.dtype) -> numpy.dtype:
    """The type an array takes when none is asked for: real and complex follow the default."""
    if dtype.kind == "f" and dtype.itemsize == 8:
        return _default
    if dtype.kind == "c" and dtype.itemsize == 16:
        return numpy.dtype(_COMPLEX_OF[_default.name])
    return as_dtype(dtype)


def promote(left: numpy.dtype, right: numpy.dtype) -> numpy.dtype:
    """The type in which two Tensors of these types meet."""
    if left == right:
        return left
    kind_left, kind_right = _KINDS[left.kind], _KINDS[right.kind]
    if kind_left == kind_right or kind_left + kind_right == 5:  # real with complex: as NumPy does
        return numpy.promote_types(left, right)
    return left if kind_left > kind_right else right


def meet_constant(tensor: numpy.dtype, constant: numpy.dtype) -> numpy.dtype:
    """The type in which a Tensor meets a constant: its own, unless the constant's kind is higher.

    Integers meet as two Tensors would, because a large one would not fit a narrow type.
    """
    if tensor.kind in "iu" and constant.kind in "iu":
        wide = numpy.promote_types(tensor, constant)
        return wide if wide.kind in "iu" else tensor
    if _KINDS[constant.kind] <= _KINDS[tensor.kind]:
        return tensor
    if constant.kind == "c":
        return numpy.dtype(_COMPLEX_OF.get(tensor.name, _COMPLEX_OF[_default.name]))
    return natural_dtype(constant)
