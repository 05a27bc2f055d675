"""Matrix products as they are asked of cuBLAS, by a stand-in that does what it is asked."""

import ctypes

import numpy as np
import pytest

from minitx import backend
from minitx.backend.kernels.cublas import CuBLAS
from tests import standin


class Fake:
    """cuBLAS's functions on the CPU's memory, column by column as the real ones."""

    def __init__(self):
        self.asked = []

    def cublasCreate_v2(self, handle):
        handle._obj.value = 41
        return 0

    def cublasSetStream_v2(self, handle, stream):
        return 0 if (handle.value, stream.value) == (41, 7) else 1

    def cublasSetWorkspace_v2(self, handle, where, size):
        return 0 if where.value and size.value == 32 << 20 else 1

    def cublasGemmStridedBatchedEx(
        self, handle, trans_a, trans_b, m, n, k, alpha, a, kind_a, lda, step_a,
        b, kind_b, ldb, step_b, beta, c, kind_c, ldc, step_c, count, compute, algorithm,
    ):  # fmt: skip
        if lda < (k if trans_a else m) or ldb < (n if trans_b else k) or ldc < m:
            return 7  # CUBLAS_STATUS_INVALID_VALUE
        number = {0: ctypes.c_float, 1: ctypes.c_double}[kind_a]
        assert kind_a == kind_b == kind_c and type(alpha._obj) is type(beta._obj) is number
        assert (alpha._obj.value, beta._obj.value) == (1, 0) and algorithm == -1
        self.asked.append(compute)

        def matrix(at, i, step, rows, columns, width):
            start = at.value + i * step.value * ctypes.sizeof(number)
            size = width * (columns - 1) + rows
            flat = np.ctypeslib.as_array((number * size).from_address(start))
            item = flat.itemsize
            return np.lib.stride_tricks.as_strided(flat, (rows, columns), (item, width * item))

        for i in range(count):
            first = matrix(a, i, step_a, *((k, m) if trans_a else (m, k)), lda)
            second = matrix(b, i, step_b, *((n, k) if trans_b else (k, n)), ldb)
            product = (first.T if trans_a else first) @ (second.T if trans_b else second)
            matrix(c, i, step_c, m, n, ldc)[...] = product
        return 0


class OnStandIn(CuBLAS):
    def __init__(self):
        super().__init__(standin.library, Fake())

    def _address(self, x):
        return x._inside.ctypes.data

    def _stream(self):
        return 0, 7


def numbers(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


CASES = {
    "plain": lambda n: (n(3, 5), n(5, 7)),
    "first transposed": lambda n: (n(5, 3).T, n(5, 7)),
    "second transposed": lambda n: (n(3, 5), n(7, 5).T),
    "both transposed": lambda n: (n(5, 3).T, n(7, 5).T),
    "parts of wider rows": lambda n: (n(3, 11)[:, 2:7], n(5, 13)[:, 3:10]),
    "every second column": lambda n: (n(3, 10)[:, ::2], n(5, 7)),
    "every second row": lambda n: (n(6, 5)[::2], n(5, 7)),
    "rows from below": lambda n: (n(3, 5)[::-1], n(5, 7)),
    "one row": lambda n: (n(1, 5), n(5, 7)),
    "one column": lambda n: (n(3, 5), n(5, 1)),
    "an outer product": lambda n: (n(3, 1), n(1, 7)),
    "numbers": lambda n: (n(1, 1), n(1, 1)),
    "vector first": lambda n: (n(5), n(5, 7)),
    "vector second": lambda n: (n(3, 5), n(5)),
    "two vectors": lambda n: (n(5), n(5)),
    "vector and a batch": lambda n: (n(2, 3, 5), n(5)),
    "a batch": lambda n: (n(2, 3, 5), n(2, 5, 7)),
    "a batch, transposed": lambda n: (n(2, 5, 3).swapaxes(1, 2), n(2, 7, 5).swapaxes(1, 2)),
    "a batch by one": lambda n: (n(2, 3, 5), n(5, 7)),
    "one by a batch": lambda n: (n(3, 5), n(2, 5, 7)),
    "two leading axes": lambda n: (n(2, 4, 3, 5), n(2, 4, 5, 7)),
    "heads": lambda n: (n(2, 3, 4, 5).swapaxes(1, 2), n(2, 5, 4, 7).swapaxes(1, 2)),
    "broadcast": lambda n: (n(2, 1, 3, 5), n(1, 4, 5, 7)),
    "no rows": lambda n: (n(0, 5), n(5, 7)),
    "no terms": lambda n: (n(3, 0), n(0, 7)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_products(name, dtype):
    a, b = CASES[name](lambda *shape: numbers(*shape).astype(dtype))
    cublas = OnStandIn()
    got, tolerance = cublas.product(standin.Array(a), standin.Array(b)).get(), 1e-4
    assert got.dtype == dtype
    np.testing.assert_allclose(got, a @ b, rtol=tolerance if dtype == np.float32 else 1e-12)
    assert set(cublas.library.asked) <= {68 if dtype == np.float32 else 70}


def test_transposes_are_not_copied():
    cublas, x, w = OnStandIn(), numbers(3, 5), numbers(7, 5)
    for array in (x, x.T, w.T, numbers(2, 5, 3).swapaxes(1, 2)):
        held = standin.Array(array)
        assert np.shares_memory(cublas._batch(held, held.shape[:-2])[0]._inside, array)


@pytest.mark.parametrize(("precision", "code"), [("tf32", 77), ("bfloat16", 75)])
def test_precision_is_a_way_to_compute(precision, code):
    cublas, x = OnStandIn(), standin.array(numbers(3, 3), np.float32)
    cublas.product(x, x, precision)
    double = standin.array(numbers(3, 3), np.float64)
    cublas.product(double, double, precision)  # double precision has one way
    assert cublas.library.asked == [code, 70]


def test_shapes_that_do_not_fit_are_named():
    x = standin.array(numbers(3, 5), np.float32)
    with pytest.raises(ValueError, match=r"got \(3, 5\) and \(3, 5\)"):
        OnStandIn().product(x, x)


def test_a_failure_of_cublas_is_an_error(monkeypatch):
    x = standin.array(numbers(3, 3), np.float32)
    monkeypatch.setattr(Fake, "cublasCreate_v2", lambda self, handle: 3)
    with pytest.raises(RuntimeError, match="cublasCreate failed with status 3"):
        OnStandIn().product(x, x)


def test_the_choice_of_a_precision(emulated):
    assert backend.matmul_precision("tf32") == "float32"
    assert emulated.precision == "tf32"
    assert backend.matmul_precision("float32") == "tf32"
    with pytest.raises(ValueError, match="'float32', 'tf32' or 'bfloat16', got 'half'"):
        backend.matmul_precision("half")


def test_the_cpu_has_one_precision():
    assert backend.matmul_precision("float32") == "float32"
    if backend.arrays._KERNELS:
        pytest.skip("a GPU is in use")
    with pytest.raises(ValueError, match=r"on the CPU matrix products are made in float32.*'tf32'"):
        backend.matmul_precision("tf32")
