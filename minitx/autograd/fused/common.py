"""What the fused primitives share: arguments of one dtype, and work in pieces for the cache."""

import math
from collections.abc import Iterator
from typing import Any

from minitx.autograd import functions as f
from minitx.autograd.tensor import Tensor, wrap_constant
from minitx.backend.dtypes import get_default_dtype, promote

_CACHED = 1 << 18  # numbers in a piece: 1 MiB of float32; smaller ones lose to the cost of calls


def real_tensors(*given: Any) -> list[Tensor]:
    """``given`` as Tensors of one floating dtype; constants follow the Tensors among them."""
    first = given[0]
    if type(first) is Tensor and first.data.dtype.kind in "fc":
        dtype = first.data.dtype
        for x in given:
            if type(x) is not Tensor or (x.data.dtype is not dtype and x.data.dtype != dtype):
                break
        else:
            return list(given)
    tensors = [x for x in given if type(x) is Tensor] or [wrap_constant(x) for x in given]
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = promote(dtype, x.dtype)
    if dtype.kind not in "fc":
        dtype = get_default_dtype()
    return [f.astype(x, dtype) if type(x) is Tensor else Tensor(x, dtype=dtype) for x in given]


def as_rows(x: Any) -> Any:
    """(..., D) as (N, D)."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])  # -1 is no length where D is 0


def pieces(rows: int, width: int) -> Iterator[slice]:
    """Slices of ``rows`` rows of ``width`` numbers, each small enough for the cache."""
    step = max(1, _CACHED // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def row_dot(xp: Any, a: Any, b: Any) -> Any:
    """sum over the last axis of a * b, without the product in memory: (..., D) -> (..., 1)."""
    found = xp.vecdot(a, b) if hasattr(xp, "vecdot") else xp.einsum("...d,...d->...", a, b)
    return found[..., None]
