"""float32 stays float32, through every function and past every constant."""

import numpy as np
import pytest

from minitx import backend
from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.transforms import grad
from minitx.autograd.tree import flatten
from tests.autograd.calls import CALLS, PUBLIC, Maker

CONSTANTS = [
    2, 2.5, True, np.float64(2.5), np.int64(2), np.bool_(True), np.array(2.5),
    np.array([1.5, 2.5, 3.5]), np.arange(1, 4), np.array([True, True, True]), [1.5, 2.5, 3.5],
]  # fmt: skip


def floating(result):
    """The real and complex Tensors of a result."""
    return [out for out in flatten(result)[0] if isinstance(out, Tensor) and out.dtype.kind in "fc"]


def test_every_function_is_called():
    assert not set(PUBLIC) - set(CALLS), "add a call of these to tests/autograd/calls.py"


@pytest.mark.parametrize("name", PUBLIC)
def test_float32_stays_float32(name, broadcasting):
    maker = Maker()
    outputs = floating(CALLS[name](maker))
    for out in outputs:
        assert out.dtype in (np.float32, np.complex64)
        assert type(out.data) is np.ndarray
    for out in outputs:
        if out.requires_grad:
            F.sum(F.real(out)).backward(retain_graph=True)
    for leaf in maker.leaves:
        if leaf.grad is not None:
            assert leaf.grad.dtype == np.float32
            assert type(leaf.grad.data) is np.ndarray
            assert leaf.grad.shape == leaf.shape


@pytest.mark.parametrize("number", range(len(CONSTANTS)))
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_a_constant_takes_the_dtype_of_the_tensor(number, dtype):
    constant = CONSTANTS[number]
    x = Tensor([1.5, 2.5, 0.5], dtype=dtype)
    for function in (F.add, F.sub, F.mul, F.div, F.power):
        for call in (lambda x, f=function: f(x, constant), lambda x, f=function: f(constant, x)):
            assert call(x).dtype == dtype
            if dtype != np.complex64 or function is not F.power:
                assert grad(lambda x, c=call: F.sum(F.real(c(x))))(x).dtype == dtype
    if dtype != np.complex64:
        for function in (F.maximum, F.minimum):
            assert function(x, constant).dtype == function(constant, x).dtype == dtype
            assert grad(lambda x, f=function: f(x, constant).sum())(x).dtype == dtype
    assert F.where(np.array([True, False, True]), x, constant).dtype == dtype


def test_operators_with_numpy_on_the_left():
    x = Tensor([1.5, 2.5])
    for left in (np.float64(2), np.array([1.0, 2.0]), np.array(2.0)):
        for result in (left + x, left - x, left * x, left / x, left**x, left < x):
            assert type(result) is Tensor
            assert result.dtype in (np.float32, bool)
    assert (np.ones((3, 2)) @ x).dtype == np.float32
    np.testing.assert_array_equal((np.array([1.0, 2.0]) / x).numpy(), np.float32([1 / 1.5, 0.8]))


def test_a_complex_number_makes_a_real_tensor_complex():
    assert (Tensor([1.0]) * 1j).dtype == np.complex64
    assert (Tensor([1.0], dtype=np.float64) * 1j).dtype == np.complex128
    assert (Tensor([1.0]) * np.complex128(1j)).dtype == np.complex64
    x = Tensor([1.0, 2.0], dtype=np.float64)
    assert grad(lambda x: F.abs(x * (1 + 1j)).sum())(x).dtype == np.float64


def test_integers_stay_integers_until_a_real_operation():
    x = Tensor([1, 2, 3])
    for result in (
        x + 1,
        x * x,
        x - np.arange(3),
        F.sum(x),
        F.maximum(x, 2),
        F.relu(x),
        -x,
        F.sign(x),
    ):
        assert result.dtype.kind == "i"
    for result in (x / 2, x + 0.5, F.exp(x), F.mean(x), F.clip(x, 0.5, 2.5), x**0.5, F.var(x)):
        assert result.dtype == np.float32


def test_a_large_integer_constant_is_not_squeezed_into_a_small_type():
    x = Tensor(np.array([44], np.uint8))
    assert not bool(x == np.array([300]))
    assert (x + np.int64(300)).tolist() == [344]


def test_new_tensors_take_the_default_dtype():
    assert Tensor([1.0]).dtype == Tensor(np.ones(2)).dtype == F.zeros((2,)).dtype == np.float32
    assert Tensor([1j]).dtype == np.complex64
    assert Tensor([1]).dtype == np.int64
    assert Tensor([True]).dtype == bool
    assert Tensor(np.ones(2, np.float16)).dtype == np.float16
    with backend.default_dtype(np.float64):
        assert Tensor([1.0]).dtype == F.zeros((2,)).dtype == (Tensor([1]) / 2).dtype == np.float64
        assert Tensor([1j]).dtype == np.complex128
    assert Tensor([1.0]).dtype == np.float32


@pytest.mark.parametrize("leaf", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("other", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_the_gradient_has_the_dtype_of_its_leaf(leaf, other):
    x, y = Tensor([1.5, 2.5], dtype=leaf), Tensor([0.5, 1.5], dtype=other)
    result = x * y
    assert result.dtype == np.promote_types(leaf, other)
    assert grad(lambda x: F.sum(F.real(x * y)))(x).dtype == leaf


@pytest.mark.parametrize("bad", ["float16", np.int32, "c16"])
def test_the_default_dtype_is_float32_or_float64(bad):
    with pytest.raises(TypeError, match="float32 or float64"):
        backend.set_default_dtype(bad)


@pytest.mark.parametrize(
    "data", ["text", ["a", "b"], None, object(), [[1.0], [1.0, 2.0]], np.array(["2020"], "M8")]
)
def test_what_is_not_numbers_is_refused(data):
    with pytest.raises((TypeError, ValueError), match=r"Tensor"):
        Tensor(data)
    with pytest.raises((TypeError, ValueError)):
        Tensor([1.0]) + data


def test_subclasses_of_numpy_arrays_are_read_as_plain_arrays():
    class Odd(np.ndarray):
        def __mul__(self, other):
            return "odd"

    x = Tensor(np.ones(3, np.float32).view(Odd))
    assert type(x.data) is np.ndarray
    assert (x * 2.0).tolist() == [2, 2, 2]
    assert (Tensor(np.ones(3)) * np.full(3, 3.0).view(Odd)).tolist() == [3, 3, 3]


def test_numpy_reads_a_tensor_by_copying_where_a_copy_is_asked_for():
    x = Tensor([1.0, 2.0])
    copied = np.array(x)
    copied[0] = 9
    assert x.tolist() == [1, 2]
    assert np.asarray(x, np.float64).dtype == np.float64
    assert np.asarray(x).base is x.data or np.shares_memory(np.asarray(x), x.data)
