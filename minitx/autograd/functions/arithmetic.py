"""Entry by entry: arithmetic, exponentials, comparisons, choices.

An elementwise primitive is callable as it is; here it gets its public name.
"""

from typing import Any

from minitx import backend
from minitx.autograd.rules import elementwise as e
from minitx.autograd.spaces import TRACED
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any  # a Tensor, or anything that a Tensor can be made of

add, sub, mul, div, neg = e.add, e.sub, e.mul, e.div, e.neg
square, reciprocal = e.square, e.reciprocal
exp, expm1, log, log1p, sqrt = e.exp, e.expm1, e.log, e.log1p, e.sqrt
tanh, sin, cos, arctan, erf = e.tanh, e.sin, e.cos, e.arctan, e.erf
sigmoid, softplus, relu = e.sigmoid, e.softplus, e.relu
sign, maximum, minimum = e.sign, e.maximum, e.minimum
greater, greater_equal, less, less_equal = e.greater, e.greater_equal, e.less, e.less_equal
equal, not_equal = e.equal, e.not_equal
logical_and, logical_or, logical_not = e.logical_and, e.logical_or, e.logical_not
isnan, isfinite, floor, ceil, round = e.isnan, e.isfinite, e.floor, e.ceil, e.round
abs = e.absolute


def real(x: Like) -> Tensor:
    """The real part; a real Tensor is its own."""
    return e.real(wrap_constant(x))


def imag(x: Like) -> Tensor:
    """The imaginary part; that of a real Tensor is 0."""
    return e.imag(wrap_constant(x))


def conj(x: Like) -> Tensor:
    """The complex conjugate; a real Tensor is its own."""
    return TRACED.conj(wrap_constant(x))


def power(x: Like, exponent: Like) -> Tensor:
    """x ** exponent, entry by entry; a Tensor as exponent has a derivative too."""
    if isinstance(exponent, (int, float)):
        if exponent == 2:
            return square(x)
        if exponent == 0.5:
            return sqrt(x)
        return e.power_of(x, n=float(exponent))
    return e.power(x, exponent)


def clip(x: Like, low: float | None = None, high: float | None = None) -> Tensor:
    """min(max(x, low), high); no gradient flows where a bound holds."""
    if low is None and high is None:
        raise ValueError("clip expected low, high or both")
    low, high = (bound.item() if hasattr(bound, "item") else bound for bound in (low, high))
    x = wrap_constant(x)
    if x.dtype.kind in "biu" and (isinstance(low, float) or isinstance(high, float)):
        x = astype(x, backend.get_default_dtype())
    return e.clip(x, low=low, high=high)


def where(condition: Like, a: Like, b: Like) -> Tensor:
    """``a`` where ``condition`` holds, ``b`` elsewhere, broadcast together."""
    condition = wrap_constant(condition).data
    for x in (a, b):
        if isinstance(x, Tensor):
            condition = backend.namespace(x.data).asarray(condition)
    return e.select(a, b, condition=condition)


def astype(x: Like, dtype: Any) -> Tensor:
    """The same numbers in another dtype; the gradient is brought back to x's.

    Integers and booleans have no derivative: what becomes one is cut from the graph.
    """
    x, dtype = wrap_constant(x), backend.as_dtype(dtype)
    if dtype.kind not in "fc":
        x = x.detach()
    return x if x.dtype == dtype else e.astype(x, dtype=dtype)


def stop_gradient(x: Like) -> Tensor:
    """The same numbers, through which no derivative flows."""
    return wrap_constant(x).detach()


def straight_through(hard: Like, soft: Like) -> Tensor:
    """The value of ``hard`` with the gradient of ``soft``: soft + stop_gradient(hard - soft)."""
    return e.replace_value(wrap_constant(soft), value=wrap_constant(hard).data)


__all__ = [
    "add", "sub", "mul", "div", "neg", "square", "reciprocal", "exp", "expm1", "log", "log1p",
    "sqrt", "tanh", "sin", "cos", "arctan", "erf", "sigmoid", "softplus", "relu", "sign",
    "maximum", "minimum", "greater", "greater_equal", "less", "less_equal", "equal",
    "not_equal", "logical_and", "logical_or", "logical_not", "isnan", "isfinite", "floor",
    "ceil", "round", "abs", "real", "imag", "conj", "power", "clip", "where", "astype",
    "stop_gradient", "straight_through",
]  # fmt: skip
