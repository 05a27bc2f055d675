"""Matrix products by cuBLAS itself, for what CuPy does not offer.

CuPy refuses to call cuBLAS while a stream is captured, and has one precision for all. So the one
function that is needed is called here through ``ctypes``. Numbers stay float32 in memory; with
"tf32" or "bfloat16" the products are made in that type, on the tensor cores, and added up in
float32.

cuBLAS stores a matrix column by column. A row-major (M, N) is to it the (N, M) transpose, so for
C = A B it is asked for C^T = B^T A^T, and nothing is copied.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy

_TYPES = {"float32": 0, "float64": 1}  # cudaDataType: CUDA_R_32F, CUDA_R_64F
_COMPUTE = {  # cublasComputeType_t
    ("float32", "float32"): 68,  # CUBLAS_COMPUTE_32F
    ("float32", "tf32"): 77,  # CUBLAS_COMPUTE_32F_FAST_TF32
    ("float32", "bfloat16"): 75,  # CUBLAS_COMPUTE_32F_FAST_16BF
}
_DOUBLE = 70  # CUBLAS_COMPUTE_64F
_ANY_ALGORITHM = -1
_WORKSPACE = 32 << 20  # bytes; NVIDIA's own choice for its newest chips


class CuBLAS:
    """A handle for each stream, with a workspace of its own, so that no capture has to allocate."""

    def __init__(self, xp: Any, library: Any = None):
        self.xp, self.library = xp, _library() if library is None else library
        self._handles: dict[tuple[int, int], tuple[Any, Any]] = {}

    def product(self, a: Any, b: Any, precision: str = "float32") -> Any:
        """a @ b for arrays of one type: (..., M, K) and (..., K, N), or vectors, as in NumPy."""
        if b.ndim == 1:
            return self.product(a, b[:, None], precision)[..., 0]
        if a.ndim == 1:
            return self.product(a[None], b, precision)[..., 0, :]
        if a.shape[-1] != b.shape[-2]:
            raise ValueError(f"a product expected (..., M, K) and (..., K, N), got {a.shape} and "
                             f"{b.shape}")  # fmt: skip
        lead = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        c = self.xp.empty((*lead, a.shape[-2], b.shape[-1]), a.dtype)
        if not c.size or not a.size:
            c.fill(0)
            return c
        self._multiply(self._batch(a, lead), self._batch(b, lead), c, precision)
        return c

    def _multiply(self, a: tuple, b: tuple, c: Any, precision: str) -> None:
        (a, trans_a, width_a, step_a), (b, trans_b, width_b, step_b) = a, b
        rows, columns = c.shape[-2:]
        kind, name = _TYPES[c.dtype.name], c.dtype.name
        compute = _COMPUTE.get((name, precision), _DOUBLE)
        number = ctypes.c_double if name == "float64" else ctypes.c_float
        one, zero = number(1), number(0)
        status = self.library.cublasGemmStridedBatchedEx(
            self._handle(), trans_b, trans_a, columns, rows, a.shape[-1], ctypes.byref(one),
            ctypes.c_void_p(self._address(b)), kind, width_b, ctypes.c_longlong(step_b),
            ctypes.c_void_p(self._address(a)), kind, width_a, ctypes.c_longlong(step_a),
            ctypes.byref(zero), ctypes.c_void_p(self._address(c)), kind, columns,
            ctypes.c_longlong(rows * columns), c.size // (rows * columns), compute, _ANY_ALGORITHM,
        )  # fmt: skip
        _expect_success(status, "cublasGemmStridedBatchedEx")

    def _batch(self, x: Any, lead: tuple[int, ...]) -> tuple[Any, int, int, int]:
        """(x, whether it lies transposed, numbers from row to row, from matrix to matrix)."""
        x = self.xp.broadcast_to(x, (*lead, *x.shape[-2:]))
        lies, step = _lies(x), _step(x)
        if lies is None or step is None:
            x = self.xp.ascontiguousarray(x)
            lies, step = (0, x.shape[-1]), x.shape[-2] * x.shape[-1]
        return x, *lies, step

    def _handle(self) -> Any:
        where = self._stream()
        if where not in self._handles:
            handle, workspace = ctypes.c_void_p(), self.xp.empty(_WORKSPACE, numpy.uint8)
            _expect_success(self.library.cublasCreate_v2(ctypes.byref(handle)), "cublasCreate")
            stream = ctypes.c_void_p(where[1])
            _expect_success(self.library.cublasSetStream_v2(handle, stream), "cublasSetStream")
            room = ctypes.c_void_p(self._address(workspace)), ctypes.c_size_t(_WORKSPACE)
            _expect_success(self.library.cublasSetWorkspace_v2(handle, *room), "cublasSetWorkspace")
            self._handles[where] = handle, workspace
        return self._handles[where][0]

    def _address(self, x: Any) -> int:
        return x.data.ptr

    def _stream(self) -> tuple[int, int]:
        """(device, stream) that work goes to now."""
        return self.xp.cuda.Device().id, self.xp.cuda.get_current_stream().ptr


def _lies(x: Any) -> tuple[int, int] | None:
    """(0, numbers from row to row) for rows that lie whole in memory, (1, from column to column)
    for columns that do, None for neither."""
    (down, across), (rows, columns) = (s // x.dtype.itemsize for s in x.strides[-2:]), x.shape[-2:]
    if (across == 1 or columns == 1) and (down >= columns or rows == 1):
        return 0, max(down if rows > 1 else columns, columns)
    if (down == 1 or rows == 1) and (across >= rows or columns == 1):
        return 1, max(across if columns > 1 else rows, rows)
    return None


def _step(x: Any) -> int | None:
    """Numbers from one matrix to the next, if it is the same throughout the leading axes."""
    step, count = 0, 1
    for length, stride in zip(x.shape[-3::-1], x.strides[-3::-1], strict=True):
        if length == 1:
            continue
        if count == 1:
            step = stride // x.dtype.itemsize
        elif stride // x.dtype.itemsize != step * count:
            return None
        count *= length
    return step if step >= 0 else None


def _expect_success(status: int, name: str) -> None:
    if status:
        raise RuntimeError(f"{name} failed with status {status} (see cublasStatus_t)")


def _library() -> Any:
    """cuBLAS as CuPy has loaded it."""
    from cuda.pathfinder import load_nvidia_dynamic_lib

    return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
