"""The functions that people call: NumPy's names and arguments, over the table of primitives.

An elementwise primitive is callable as it is (``exp``, ``tanh``, ``maximum``). Where a call needs
its arguments put in order first (an axis made positive, a shape with -1, a list of Tensors), the
function here does that and nothing else.
"""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy

from minitx import backend
from minitx.autograd.primitive import TABLE, TRACED, wrap_constant
from minitx.autograd.rules import elementwise as e
from minitx.autograd.rules import indexing, products, reductions, scans, shape
from minitx.autograd.rules.reductions import axes_of, count
from minitx.autograd.tensor import Tensor, wrap

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
isnan, isfinite, floor, ceil, round = e.isnan, e.isfinite, e.floor, e.ceil, e.round  # noqa: A001
abs, real, imag = e.absolute, e.real, e.imag  # noqa: A001


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
        return e.power_of(x, n=exponent)
    return e.power(x, exponent)


def clip(x: Like, low: float | None = None, high: float | None = None) -> Tensor:
    """min(max(x, low), high); no gradient flows where a bound holds."""
    if low is None and high is None:
        raise ValueError("clip expected low, high or both")
    return e.clip(x, low=low, high=high)


def where(condition: Like, a: Like, b: Like) -> Tensor:
    """``a`` where ``condition`` holds, ``b`` elsewhere, broadcast together."""
    if isinstance(condition, Tensor):
        condition = condition.data
    elif not backend.is_array(condition):
        condition = numpy.asarray(condition)
    return e.select(a, b, condition=condition)


def astype(x: Like, dtype: Any) -> Tensor:
    """The same numbers in another dtype; the gradient is brought back to x's."""
    x, dtype = wrap_constant(x), backend.as_dtype(dtype)
    return x if x.dtype == dtype else e.astype(x, dtype=dtype)


# --------------------------------------------------------------------------------- reductions


def _reduce(name: str, x: Like, axis: Any, keepdims: bool) -> Tensor:
    x = wrap_constant(x)
    return TABLE[name](x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def sum(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
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


def max(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The greatest entry along ``axis``; entries that tie share the gradient."""
    return _reduce("max", x, axis, keepdims)


def min(x: Like, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
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
    return reshape(found, reductions.kept(x.shape, axes)) if keepdims else found


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


# -------------------------------------------------------------------------------------- shape


def reshape(x: Like, *lengths: Any) -> Tensor:
    """The same entries in another shape; one length may be -1."""
    x = wrap_constant(x)
    wanted = tuple(lengths[0]) if len(lengths) == 1 and not _is_integer(lengths[0]) else lengths
    known = math.prod(n for n in wanted if n != -1)
    fits = x.size == known if -1 not in wanted else known and x.size % known == 0
    if not fits or wanted.count(-1) > 1:
        raise ValueError(f"cannot reshape {x.shape} ({x.size} entries) to {wanted}")
    return shape.reshape_(x, shape=tuple(x.size // known if n == -1 else int(n) for n in wanted))


def transpose(x: Like, *axes: Any) -> Tensor:
    """The axes in another order (reversed if none is given)."""
    x = wrap_constant(x)
    order = axes[0] if len(axes) == 1 and not _is_integer(axes[0]) else axes
    if not order and x.ndim:
        return shape.transpose_(x, axes=tuple(reversed(range(x.ndim))))
    if sorted(i % builtins.max(x.ndim, 1) for i in order) != list(range(x.ndim)):
        raise ValueError(f"transpose expected all {x.ndim} axes in some order, got {order}")
    return shape.transpose_(x, axes=tuple(int(i) % x.ndim for i in order))


def swapaxes(x: Like, first: int, second: int) -> Tensor:
    """Two axes exchanged."""
    x = wrap_constant(x)
    (first,), (second,) = axes_of(first, x.ndim), axes_of(second, x.ndim)
    return shape.swapaxes_(x, first=first, second=second)


def moveaxis(x: Like, source: int, destination: int) -> Tensor:
    """One axis taken out and put in elsewhere."""
    x = wrap_constant(x)
    (source,), (destination,) = axes_of(source, x.ndim), axes_of(destination, x.ndim)
    order = [i for i in range(x.ndim) if i != source]
    order.insert(destination, source)
    return shape.transpose_(x, axes=tuple(order))


def expand_dims(x: Like, axis: int) -> Tensor:
    """A new axis of length 1."""
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim + 1)
    return shape.reshape_(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))


def squeeze(x: Like, axis: Any = None) -> Tensor:
    """Axes of length 1 left out: all of them, or those named."""
    x = wrap_constant(x)
    axes = axes_of(axis, x.ndim) if axis is not None else range(x.ndim)
    chosen = {i for i in axes if x.shape[i] == 1}
    if axis is not None and len(chosen) < len(axes):
        raise ValueError(f"squeeze expected axes of length 1, got axis {axis} of {x.shape}")
    return shape.reshape_(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in chosen))


def broadcast_to(x: Like, *lengths: Any) -> Tensor:
    """Copies of ``x`` along new axes and axes of length 1."""
    wanted = tuple(lengths[0]) if len(lengths) == 1 and not _is_integer(lengths[0]) else lengths
    return shape.broadcast_to_(wrap_constant(x), shape=wanted)


def concatenate(parts: Sequence[Like], axis: int = 0) -> Tensor:
    """The parts one after the other along ``axis``."""
    parts = [wrap_constant(part) for part in parts]
    if not parts:
        raise ValueError("concatenate expected at least one Tensor")
    (axis,) = axes_of(axis, parts[0].ndim)
    for part in parts:
        if part.shape[:axis] + part.shape[axis + 1 :] != _without(parts[0].shape, axis):
            shapes = ", ".join(str(p.shape) for p in parts)
            raise ValueError(f"concatenate along axis {axis} expected equal other axes, got {shapes}")
    return shape.concatenate_(*parts, axis=axis, sizes=tuple(part.shape[axis] for part in parts))


def _without(lengths: tuple, axis: int) -> tuple:
    return lengths[:axis] + lengths[axis + 1 :]


def stack(parts: Sequence[Like], axis: int = 0) -> Tensor:
    """The parts side by side along a new axis."""
    return concatenate([expand_dims(part, axis) for part in parts], axis)


def split(x: Like, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Equal parts (an integer), or parts of the lengths given, along ``axis``."""
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim)
    n = x.shape[axis]
    if _is_integer(sections):
        if sections < 1 or n % sections:
            raise ValueError(f"cannot split axis {axis} of {x.shape} into {sections} equal parts")
        sections = [n // sections] * sections
    if builtins.sum(sections) != n:
        raise ValueError(f"split expected lengths that add up to {n}, got {list(sections)}")
    parts, start = [], 0
    for length in sections:
        parts.append(x[(slice(None),) * axis + (slice(start, start + length),)])
        start += length
    return parts


def pad(x: Like, width: Sequence, value: float = 0.0) -> Tensor:
    """``value`` before and after each axis: ``width`` holds a pair (before, after) per axis."""
    x = wrap_constant(x)
    width = tuple((int(before), int(after)) for before, after in width)
    if len(width) != x.ndim:
        raise ValueError(f"pad expected {x.ndim} pairs for shape {x.shape}, got {len(width)}")
    padded = shape.pad_(x, width=width)
    if not value:
        return padded
    inside = shape.pad_(full_like(x, True, dtype=bool), width=width)
    return where(inside, padded, value)


def flip(x: Like, axis: Any = None) -> Tensor:
    """Entries in reverse order along ``axis``."""
    x = wrap_constant(x)
    return shape.flip_(x, axis=axes_of(axis, x.ndim))


def roll(x: Like, shift: Any, axis: Any) -> Tensor:
    """Entries moved by ``shift`` along ``axis``; what leaves at one end enters at the other."""
    x = wrap_constant(x)
    shifts = (shift,) if _is_integer(shift) else tuple(shift)
    axes = (axis,) if _is_integer(axis) else tuple(axis)
    return shape.roll_(x, shift=shifts, axis=tuple(axes_of(one, x.ndim)[0] for one in axes))


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
    return shape.tril_(wrap_constant(x), offset=offset)


def triu(x: Like, offset: int = 0) -> Tensor:
    """The upper triangle of the last two axes; zeros below the diagonal ``offset``."""
    return shape.triu_(wrap_constant(x), offset=offset)


# ----------------------------------------------------------------------------------- indexing


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index], for any index that NumPy takes; a Tensor may be an index."""
    if isinstance(index, tuple):
        index = tuple(part.data if isinstance(part, Tensor) else part for part in index)
    elif isinstance(index, Tensor):
        index = index.data
    return indexing.getitem(x, index=index)


def scatter_add(values: Like, index: Any, shape: tuple[int, ...]) -> Tensor:
    """Zeros of ``shape`` to which ``values`` are added at ``index``; repeats add up."""
    if isinstance(index, tuple):
        index = tuple(part.data if isinstance(part, Tensor) else part for part in index)
    elif isinstance(index, Tensor):
        index = index.data
    return indexing.scatter_add(wrap_constant(values), index=index, shape=tuple(shape))


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
    if any(n != m and m != 1 for i, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True)) if i != axis):
        raise ValueError(f"indices {indices.shape} do not match {x.shape} off axis {axis}")
    return getitem(x, tuple(grid))


def embedding(table: Tensor, ids: Like) -> Tensor:
    """Rows of ``table`` (V, D) for ``ids`` of any shape: (..., D)."""
    table, ids = wrap_constant(table), wrap_constant(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"embedding expected integer ids, got {ids.dtype}")
    if ids.size and (ids.data.min() < 0 or ids.data.max() >= table.shape[0]):
        raise IndexError(
            f"embedding expected ids from 0 to {table.shape[0] - 1}, "
            f"got {int(ids.data.min())} to {int(ids.data.max())}"
        )
    return indexing.embedding_(table, ids=ids.data)


# ------------------------------------------------------------------------- products and scans


def matmul(a: Like, b: Like) -> Tensor:
    """The matrix product over the last two axes, broadcast over the others."""
    a, b = wrap_constant(a), wrap_constant(b)
    if not a.ndim or not b.ndim:
        raise ValueError(f"matmul expected at least one axis each, got {a.shape} and {b.shape}")
    row, column = a.ndim == 1, b.ndim == 1
    if a.shape[-1] != b.shape[0 if column else -2]:
        raise ValueError(f"matmul expected (..., n, k) and (..., k, m), got {a.shape} and {b.shape}")
    if not (row or column):
        return products.matmul_(a, b)
    found = products.matmul_(expand_dims(a, 0) if row else a, expand_dims(b, 1) if column else b)
    if column:
        found = squeeze(found, -1)
    return squeeze(found, -1 if column else -2) if row else found


def einsum(subscripts: str, *operands: Like) -> Tensor:
    """Einstein summation with an explicit output: ``einsum("bhqd,bhkd->bhqk", q, k)``."""
    operands = [wrap_constant(x) for x in operands]
    subscripts = subscripts.replace(" ", "")
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    if not arrow or "." in subscripts:
        raise ValueError(f"einsum expected letters and '->', got {subscripts!r}")
    if [len(term) for term in terms] != [x.ndim for x in operands]:
        shapes = ", ".join(str(x.shape) for x in operands)
        raise ValueError(f"einsum {subscripts!r} does not fit operands of shapes {shapes}")
    for term in terms:
        if len(set(term)) != len(term):
            raise ValueError(f"einsum expected different letters within an operand, got {term!r}")
    return products.einsum_(*operands, subscripts=subscripts)


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


# ----------------------------------------------------------------------------------- creation


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


def full_like(x: Like, value: float, dtype: Any = None) -> Tensor:
    """One value, with the shape, device and (unless told otherwise) dtype of ``x``."""
    x = wrap_constant(x).data
    return wrap(backend.namespace(x).full_like(x, value, dtype=dtype), None)


def zeros_like(x: Like) -> Tensor:
    """Zeros, with the shape, device and dtype of ``x``."""
    return full_like(x, 0)


def ones_like(x: Like) -> Tensor:
    """Ones, with the shape, device and dtype of ``x``."""
    return full_like(x, 1)


def arange(*limits: int, like: Tensor | None = None) -> Tensor:
    """Integers from start to stop, on the device of ``like``."""
    xp = numpy if like is None else backend.namespace(like.data)
    return wrap(xp.arange(*limits), None)


def stop_gradient(x: Like) -> Tensor:
    """The same numbers, through which no derivative flows."""
    return wrap_constant(x).detach()


def straight_through(hard: Like, soft: Like) -> Tensor:
    """The value of ``hard`` with the gradient of ``soft``: soft + stop_gradient(hard - soft)."""
    return e.replace_value(wrap_constant(soft), value=wrap_constant(hard).data)


def _is_integer(value: Any) -> bool:
    return hasattr(value, "__index__")
