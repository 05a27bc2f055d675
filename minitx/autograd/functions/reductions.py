"""Axes that disappear: sums, means, extremes, norms."""

import builtins
import math
from typing import Any

from minitx import backend
from minitx.autograd.functions.arithmetic import (
    abs,  # noqa: A004
    conj,
    logical_not,
    power,
    real,
    sqrt,
    square,
    where,
)
from minitx.autograd.functions.creation import full, full_like
from minitx.autograd.functions.products import cumprod
from minitx.autograd.functions.shape import concatenate, reshape, transpose
from minitx.autograd.rules.reductions import axes_of, count, kept
from minitx.autograd.spaces import TABLE
from minitx.autograd.tensor import Tensor, wrap, wrap_constant

Like = Any


def _reduce(name: str, x: Like, axis: Any, keepdims: bool) -> Tensor:
    x = wrap_constant(x)
    return TABLE[name](x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def sum(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over ``axis`` (integer, tuple, or None for all)."""
    return _reduce("sum", x, axis, keepdims)


def mean(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over ``axis``."""
    return _reduce("mean", x, axis, keepdims)


def var(x: Like, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
    """The mean squared distance from the mean; divides by n - ddof (PyTorch's default is 1)."""
    x = wrap_constant(x)
    centred = x - mean(x, axis, keepdims=True)
    n = count(x, axes_of(axis, x.ndim))
    energy = square(centred) if x.dtype.kind != "c" else real(centred * conj(centred))
    return sum(energy, axis, keepdims) / builtins.max(n - ddof, 0) if n > ddof else _nan(x)


def _nan(x: Tensor) -> Tensor:
    raise ValueError(f"the variance needs more entries than ddof; got a Tensor of shape {x.shape}")


def std(x: Like, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
    """The square root of ``var``."""
    return sqrt(var(x, axis, keepdims, ddof))


def max(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The greatest entry along ``axis``; entries that tie share the gradient."""
    return _reduce("max", x, axis, keepdims)


def min(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The least entry along ``axis``; entries that tie share the gradient."""
    return _reduce("min", x, axis, keepdims)


def logsumexp(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log sum exp(x) over ``axis``, without overflow; the sum over nothing is -inf."""
    return _reduce("logsumexp", x, axis, keepdims)


def prod(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product over ``axis``; its gradient is right where entries are 0."""
    x = wrap_constant(x)
    axes = axes_of(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    n = count(x, axes)
    lead = tuple(x.shape[i] for i in rest)
    flat = reshape(transpose(x, rest + axes), (*lead, n))
    ones = full_like(flat[..., :1], 1) if n else full((*lead, 1), 1, dtype=x.dtype)
    found = cumprod(concatenate([ones, flat], axis=-1), axis=-1)[..., -1]
    return reshape(found, kept(x.shape, axes)) if keepdims else found


def norm(x: Like, axis: Any = None, keepdims: bool = False, order: float = 2) -> Tensor:
    """The vector norm (sum |x|^order)^(1/order); order may be inf. Its gradient at 0 is 0."""
    size = abs(x)
    if order == math.inf:
        return max(size, axis, keepdims)
    if order == 1:
        return sum(size, axis, keepdims)
    total = sum(power(size, order), axis, keepdims)
    zero = logical_not(total.detach() > 0)
    return where(zero, 0, power(where(zero, 1, total), 1 / order))


def argmax(x: Like, axis: int | None = None) -> Tensor:
    """The index of the greatest entry along ``axis``."""
    x = wrap_constant(x).data
    return wrap(backend.namespace(x).asarray(x.argmax(axis)), None)


def argmin(x: Like, axis: int | None = None) -> Tensor:
    """The index of the least entry along ``axis``."""
    x = wrap_constant(x).data
    return wrap(backend.namespace(x).asarray(x.argmin(axis)), None)


__all__ = [
    "sum", "mean", "var", "std", "max", "min", "logsumexp", "prod", "norm", "argmax", "argmin",
]  # fmt: skip
