"""New Tensors: from data, of one value, of integers in a row."""

from collections.abc import Sequence
from typing import Any

import numpy

from minitx import backend
from minitx.autograd.tensor import Tensor, wrap, wrap_constant

Like = Any


def tensor(data: Like, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ``data``."""
    return Tensor(data, dtype, requires_grad)


def full(shape: Sequence[int], value: float, dtype: Any = None) -> Tensor:
    """A Tensor of one value, of the default dtype unless told otherwise."""
    dtype = backend.get_default_dtype() if dtype is None else dtype
    return wrap(numpy.full(tuple(shape), value, dtype), None)


def zeros(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """A Tensor of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """A Tensor of ones."""
    return full(shape, 1, dtype)


def full_like(x: Like, value: float, dtype: Any = None, shape: Any = None) -> Tensor:
    """One value, with the device and (unless told otherwise) shape and dtype of ``x``."""
    x = wrap_constant(x).data
    return wrap(backend.namespace(x).full_like(x, value, dtype=dtype, shape=shape), None)


def zeros_like(x: Like) -> Tensor:
    """Zeros, with the shape, device and dtype of ``x``."""
    return full_like(x, 0)


def ones_like(x: Like) -> Tensor:
    """Ones, with the shape, device and dtype of ``x``."""
    return full_like(x, 1)


def eye(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix (n, n), of the default dtype unless told otherwise."""
    return wrap(numpy.eye(n, dtype=backend.get_default_dtype() if dtype is None else dtype), None)


def arange(*limits: int, like: Tensor | None = None) -> Tensor:
    """Integers from start to stop, on the device of ``like``."""
    xp = numpy if like is None else backend.namespace(like.data)
    return wrap(xp.arange(*limits), None)


__all__ = [
    "tensor", "full", "zeros", "ones", "full_like", "zeros_like", "ones_like", "eye", "arange",
]  # fmt: skip
