"""Matrix products and einsum, and what runs along an axis: cumulative sums, the recurrence."""

from typing import Any

from minitx.autograd.functions.shape import broadcast_to, expand_dims, squeeze
from minitx.autograd.rules import products as rules
from minitx.autograd.rules import scans
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any


def matmul(a: Like, b: Like) -> Tensor:
    """The matrix product over the last two axes, broadcast over the others."""
    a, b = wrap_constant(a), wrap_constant(b)
    if not a.ndim or not b.ndim:
        raise ValueError(f"matmul expected at least one axis each, got {a.shape} and {b.shape}")
    row, column = a.ndim == 1, b.ndim == 1
    if a.shape[-1] != b.shape[0 if column else -2]:
        raise ValueError(
            f"matmul expected (..., n, k) and (..., k, m), got {a.shape} and {b.shape}"
        )
    if not (row or column):
        return rules.matmul_(a, b)
    found = rules.matmul_(expand_dims(a, 0) if row else a, expand_dims(b, 1) if column else b)
    if column:
        found = squeeze(found, -1)
    return squeeze(found, -1 if column else -2) if row else found


def einsum(subscripts: str, *operands: Like) -> Tensor:
    """Einstein summation with an explicit output: ``einsum("bhqd,bhkd->bhqk", q, k)``."""
    operands = [wrap_constant(x) for x in operands]
    subscripts = subscripts.replace(" ", "")
    inputs, arrow, _ = subscripts.partition("->")
    terms = inputs.split(",")
    if not arrow or "." in subscripts:
        raise ValueError(f"einsum expected letters and '->', got {subscripts!r}")
    if [len(term) for term in terms] != [x.ndim for x in operands]:
        shapes = ", ".join(str(x.shape) for x in operands)
        raise ValueError(f"einsum {subscripts!r} does not fit operands of shapes {shapes}")
    for term in terms:
        if len(set(term)) != len(term):
            raise ValueError(f"einsum expected different letters within an operand, got {term!r}")
    return rules.einsum_(*operands, subscripts=subscripts)


def cumsum(x: Like, axis: int) -> Tensor:
    """Running sums along ``axis``."""
    x = wrap_constant(x)
    return scans.cumsum_(x, axis=axes_of(axis, x.ndim)[0])


def cumprod(x: Like, axis: int) -> Tensor:
    """Running products along ``axis``."""
    x = wrap_constant(x)
    return scans.cumprod_(x, axis=axes_of(axis, x.ndim)[0])


def scan(a: Like, b: Like, axis: int = 0, reverse: bool = False) -> Tensor:
    """The linear recurrence h_t = a_t h_{t-1} + b_t along ``axis``, real or complex.

    ``a`` is broadcast against ``b``; with ``reverse`` it runs from the end.
    """
    b = wrap_constant(b)
    a = broadcast_to(a, b.shape)
    return scans.scan_(a, b, axis=axes_of(axis, b.ndim)[0], reverse=reverse)


__all__ = [
    "matmul", "einsum", "cumsum", "cumprod", "scan",
]  # fmt: skip
