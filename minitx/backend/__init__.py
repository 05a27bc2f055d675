"""Which array library and which device: the only room that knows that there is more than one.

``namespace(array)`` gives the library an array belongs to (NumPy or CuPy, which share their
function names); ``move`` copies between devices; ``dtypes`` keeps float32 float32; ``allocator``
tells glibc to keep the memory that a training step frees; ``kernels`` holds what an NVIDIA GPU runs
where CuPy alone is slow.
"""

from minitx.backend.allocator import keep_freed_memory
from minitx.backend.arrays import (
    Array,
    device_of,
    is_array,
    kernels_of,
    matmul_precision,
    may_be_read,
    move,
    namespace,
    register_kernels,
    register_namespace,
    to_numpy,
    when_a_device_is_used,
)
from minitx.backend.dtypes import (
    as_dtype,
    default_dtype,
    get_default_dtype,
    promote,
    set_default_dtype,
)
from minitx.backend.random import generator, get_state, set_state, spawn

keep_freed_memory()

__all__ = [
    "Array",
    "as_dtype",
    "default_dtype",
    "device_of",
    "generator",
    "get_default_dtype",
    "get_state",
    "is_array",
    "keep_freed_memory",
    "kernels_of",
    "matmul_precision",
    "may_be_read",
    "move",
    "namespace",
    "promote",
    "register_kernels",
    "register_namespace",
    "set_default_dtype",
    "set_state",
    "spawn",
    "to_numpy",
    "when_a_device_is_used",
]
