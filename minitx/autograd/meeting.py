"""Where arguments of different types meet: one library, one dtype.

``meet`` looks at the arguments of every operation, so it is quick about those that agree already.
"""

from typing import Any

import numpy

from minitx import backend
from minitx.autograd.tensor import Tensor, wrap_constant
from minitx.backend.arrays import _NAMESPACES
from minitx.backend.dtypes import get_default_dtype, meet_constant, promote

SCALARS = frozenset((bool, int, float, complex))


def library_of(arrays: list) -> Any:
    """The library of the first array among ``arrays``; NumPy if there is none."""
    for array in arrays:
        xp = _NAMESPACES.get(type(array))
        if xp is not None:
            return xp
    return numpy


def meet(meets: bool | str, args: tuple, arrays: list) -> list:
    """Bring arguments to one dtype: Tensors as PyTorch does, constants to that of the Tensors."""
    if len(arrays) == 1 and type(arrays[0]) in _NAMESPACES and arrays[0].dtype.kind in "fc":
        return arrays  # the common case of functions of one argument
    library, dtype, reals = None, None, False
    for array in arrays:
        kind = type(array)
        if kind in SCALARS:
            reals = reals or kind is not int
        elif library is None:
            if kind not in _NAMESPACES:
                return _slowly(meets, args, arrays)
            library, dtype = kind, array.dtype
        elif kind is not library or array.dtype != dtype:
            return _slowly(meets, args, arrays)
    if library is not None and (dtype.kind in "fc" or (meets is True and not reals)):
        return arrays
    return _slowly(meets, args, arrays)


def _slowly(meets: bool | str, args: tuple, arrays: list) -> list:
    tensors = [arg for arg in args if type(arg) is Tensor]
    if not tensors:
        tensors = [wrap_constant(next((a for a in args if type(a) not in SCALARS), args[0]))]
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = promote(dtype, tensor.dtype)
    xp = backend.namespace(tensors[0].data)
    devices = {id(backend.namespace(tensor.data)) for tensor in tensors}
    if len(devices) > 1:
        places = ", ".join(tensor.device for tensor in tensors)
        raise ValueError(f"expected all Tensors on one device, got {places}")
    read = []
    for arg, array in zip(args, arrays, strict=True):
        if type(arg) in SCALARS:
            if type(arg) in (float, complex):
                dtype = meet_constant(dtype, numpy.asarray(arg).dtype)
        elif type(arg) is not Tensor:
            array = xp.asarray(array)
            if array.dtype.kind not in "biufc":
                raise TypeError(f"expected numbers, got {type(arg).__name__} of {array.dtype}")
            dtype = meet_constant(dtype, array.dtype)
        read.append(array)
    if meets == "float" and dtype.kind not in "fc":
        dtype = get_default_dtype()
    if all(type(array) in SCALARS for array in read):
        return [xp.asarray(array, dtype) for array in read]
    return [a if type(a) in SCALARS else a.astype(dtype, copy=False) for a in read]
