"""What all fused primitives need: arguments as Tensors of one real dtype."""

from typing import Any

from minitx.autograd import functions as f
from minitx.autograd.primitive import wrap_constant
from minitx.autograd.tensor import Tensor
from minitx.backend.dtypes import get_default_dtype, promote


def real_tensors(*given: Any) -> list[Tensor]:
    """``given`` as Tensors of one floating dtype; constants follow the Tensors among them."""
    first = given[0]
    if type(first) is Tensor and first.data.dtype.kind in "fc":
        dtype = first.data.dtype
        if all(type(x) is Tensor and x.data.dtype == dtype for x in given):
            return list(given)
    tensors = [x for x in given if type(x) is Tensor] or [wrap_constant(x) for x in given]
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = promote(dtype, x.dtype)
    if dtype.kind not in "fc":
        dtype = get_default_dtype()
    return [
        f.astype(x, dtype) if type(x) is Tensor else Tensor(x, dtype=dtype) for x in given
    ]
