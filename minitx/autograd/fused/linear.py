"""The affine map y = x W^T + b: one node, one large matrix product each way."""

from functools import cache

from minitx.autograd import functions as f
from minitx.autograd.fused import panels
from minitx.autograd.fused.common import real_tensors
from minitx.autograd.graph import mode
from minitx.autograd.primitive import fused
from minitx.autograd.tensor import Tensor, wrap
from minitx.backend import device_of, kernels_of, namespace

_FEW = 32  # rows; from there on the products of two threads catch up
_LONG, _LARGE = 256, 1 << 17  # numbers in a row of the weight, and in all of it
_SMALL = 500_000  # multiplications that BLAS does without copying the matrix first


def _forward(xp, x, weight, bias=None):
    y = _product(xp, x.reshape(-1, x.shape[-1]), weight)  # one of (B T, D), not B of (T, D)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0]), None


def _product(xp, rows, weight):
    if (kernels := kernels_of(rows)) is not None:
        return kernels.product(rows, weight.T)
    few = len(rows) <= _FEW and device_of(rows) == "cpu"
    return _few_rows(xp, rows, weight) if few else panels.product(xp, rows, weight.T)


def _few_rows(xp, rows, weight):
    """rows W^T, as fast as the weight can be read: what a step of decoding is made of.

    BLAS first copies a large matrix into an order that suits it, which pays when many rows
    follow and takes longer than the product itself when few do. It takes a small matrix as it
    lies in memory, and so the weight is given to it in parts.
    """
    count, (out, width) = len(rows), weight.shape
    large = width >= _LONG and weight.size >= _LARGE and weight.dtype.kind == "f"
    if count == 1 and large and weight.flags.c_contiguous:
        return xp.vecdot(weight, rows[0])[None]  # reads memory faster than BLAS's own way
    parts = _parts(out, count * width)
    if parts == 1:
        return rows @ weight.T
    stacked = weight.reshape(parts, out // parts, width) @ xp.ascontiguousarray(rows.T)
    return xp.ascontiguousarray(stacked.reshape(out, count).T)


@cache
def _parts(out, size):
    """How many equal parts of ``out`` rows are small products each; 1 if no number is."""
    return next((n for n in range(1, out) if not out % n and out // n * size <= _SMALL), 1)


def _backward(xp, g, y, _, x, weight, bias=None):
    g = g.reshape(-1, g.shape[-1])
    rows = x.reshape(-1, x.shape[-1])
    found = [panels.product(xp, g, weight).reshape(x.shape), panels.product(xp, g.T, rows)]
    if bias is not None:
        found.append(xp.ones(len(g), g.dtype) @ g)  # a product is faster than a sum
    return found


def naive_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b, from a transposition, a matrix product and a sum."""
    y = x @ f.transpose(weight)
    return y if bias is None else y + bias


def _unrecorded(x, weight, bias=None):
    """The same where no derivative will be asked for: no node, and panels if they are in use."""
    array = x.data
    rows = array.reshape(-1, array.shape[-1])
    y = panels.kept(rows, weight)
    if y is None:
        y = _product(namespace(rows), rows, weight.data)
    if bias is not None:
        y += bias.data
    return wrap(y.reshape(*array.shape[:-1], y.shape[-1]), None)


_linear = fused("linear", _forward, _backward, naive_linear, saves="inputs")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b.

    x (..., D_in), weight (D_out, D_in) as PyTorch stores it, bias (D_out,) -> (..., D_out).
    Raises ValueError when the widths differ.
    """
    x, weight, *rest = real_tensors(x, weight, *([] if bias is None else [bias]))
    shape, expected = x.data.shape, weight.data.shape
    if len(expected) != 2 or shape[-1:] != expected[1:]:
        raise ValueError(
            f"linear expected (..., {expected[1] if len(expected) == 2 else '?'}) and weight "
            f"(out, in), got {shape} and {expected}"
        )
    if rest and rest[0].data.shape != expected[:1]:
        raise ValueError(f"linear expected a bias of shape {expected[:1]}, got {rest[0].shape}")
    if mode.recording or mode.naive:
        return _linear(x, weight, *rest)
    return _unrecorded(x, weight, *rest)
