"""Primitives that act entry by entry: derivatives of both orders, values, numbers at the edge."""

import math

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.transforms import grad, hvp
from tests.autograd.battery import cplx, distinct, nonzero, pairs, prove, real


def positive(*shape, seed=0):
    return real(*shape, low=0.3, high=2.0, seed=seed)


UNARY = {
    "neg": (F.neg, real, np.negative),
    "square": (F.square, real, np.square),
    "reciprocal": (F.reciprocal, nonzero, np.reciprocal),
    "power_of": (lambda x: F.power(x, 3), real, lambda x: x**3),
    "exp": (F.exp, real, np.exp),
    "expm1": (F.expm1, real, np.expm1),
    "log": (F.log, positive, np.log),
    "log1p": (F.log1p, positive, np.log1p),
    "sqrt": (F.sqrt, positive, np.sqrt),
    "tanh": (F.tanh, real, np.tanh),
    "sin": (F.sin, real, np.sin),
    "cos": (F.cos, real, np.cos),
    "arctan": (F.arctan, real, np.arctan),
    "erf": (F.erf, real, np.vectorize(math.erf, otypes=[float])),
    "sigmoid": (F.sigmoid, real, lambda x: 1 / (1 + np.exp(-x))),
    "softplus": (F.softplus, real, lambda x: np.log(1 + np.exp(x))),
    "relu": (F.relu, nonzero, lambda x: np.maximum(x, 0)),
    "direction": (F.sign, nonzero, np.sign),
    "absolute": (F.abs, nonzero, np.abs),
    "clip": (lambda x: F.clip(x, -1.03, 0.97), distinct, lambda x: np.clip(x, -1.03, 0.97)),
    "astype": (lambda x: F.astype(x, np.complex128) * (1 + 2j), real, lambda x: x * (1 + 2j)),
    "real": (lambda x: F.real(x * (1 - 2j)), real, lambda x: x),
    "imag": (lambda x: F.imag(x * (1 - 2j)), real, lambda x: -2 * x),
    "conj": (lambda x: F.conj(x * (1 - 2j)), real, lambda x: x * (1 + 2j)),
    "replace_value": (lambda x: F.straight_through(x, x * 3), real, lambda x: x),
}
COMPLEX = [
    "neg", "square", "reciprocal", "power_of", "exp", "expm1", "log", "log1p", "sqrt", "tanh",
    "sin", "cos", "arctan", "sigmoid", "direction", "absolute", "real", "imag", "conj",
]  # fmt: skip
BINARY = {
    "add": (F.add, real, real, np.add),
    "sub": (F.sub, real, real, np.subtract),
    "mul": (F.mul, real, real, np.multiply),
    "div": (F.div, real, nonzero, np.divide),
    "power": (F.power, positive, real, np.power),
    "maximum": (F.maximum, real, nonzero, np.maximum),
    "minimum": (F.minimum, real, nonzero, np.minimum),
    "select": (
        lambda a, b: F.where((a.data + b.data) > 0.1, a * 2, b),
        real,
        real,
        lambda a, b: np.where(a + b > 0.1, a * 2, b),
    ),
}
CASES = {*UNARY, *BINARY}


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    function, draw, reference = UNARY[name]
    for shape in [(3, 5), (1,), (), (0, 2), (2, 0)]:
        x = draw(*shape)
        if name == "replace_value":  # what it promises is no derivative of its value
            continue
        prove(name, function, x)
        np.testing.assert_allclose(function(x).numpy(), reference(x.numpy()), rtol=1e-14)


@pytest.mark.parametrize("name", COMPLEX)
def test_unary_complex(name):
    function = UNARY[name][0]
    prove(name, function, cplx(3, 5))
    prove(name, function, cplx(1, 1))


@pytest.mark.parametrize("name", BINARY)
def test_binary_over_all_broadcasts(name, broadcasting):
    function, draw_a, draw_b, reference = BINARY[name]
    for left, right in pairs():
        a, b = draw_a(*left, seed=1), draw_b(*right, seed=2)
        prove(name, function, a, b)
        np.testing.assert_allclose(
            function(a, b).numpy(), reference(a.numpy(), b.numpy()), rtol=1e-14
        )


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "power", "select"])
def test_binary_complex_and_mixed(name, broadcasting):
    function = BINARY[name][0] if name != "select" else lambda a, b: F.where(mask, a, b)
    mask = np.array([[True, False, True], [False, True, True]])
    for a, b in [
        (cplx(2, 3), cplx(2, 3, seed=1)),
        (positive(2, 3), cplx(3)),
        (cplx(2, 1), positive(2, 3)),
    ]:
        prove(name, function, a, b)


@pytest.mark.parametrize("name", BINARY)
def test_a_number_on_either_side(name):
    function = BINARY[name][0] if name != "select" else lambda a, b: F.where(mask, a, b)
    mask = np.array([[True, False, True], [False, True, True]])
    x = positive(2, 3)
    prove("power_of" if name == "power" else name, lambda x: function(x, 1.37), x)
    prove(name, lambda x: function(1.37, x), x)
    check_grads(lambda x: function(x, np.float64(1.37)), x)


def test_the_same_tensor_twice():
    x = positive(2, 3)
    for function, _, _, _ in BINARY.values():
        check_grads(lambda x, f=function: f(x, x * 1.0), x)
        check_grads(lambda x, f=function: f(x, x + 1e-9), x, order=1)


def test_ties_of_maximum_share_the_gradient():
    a, b = Tensor([1.0, 2.0, 3.0]), Tensor([1.0, 5.0, 0.0])
    for function, expected in [(F.maximum, [0.5, 0, 1]), (F.minimum, [0.5, 1, 0])]:
        assert grad(lambda a, f=function: f(a, b).sum())(a).tolist() == expected


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 1.5, np.float64(3), True])
def test_powers_with_a_number(exponent):
    x = positive(2, 3)
    check_grads(lambda x: x**exponent, x)
    np.testing.assert_allclose((x**exponent).numpy(), x.numpy() ** float(exponent), rtol=1e-14)


def test_powers_at_zero_are_finite():
    x, n = Tensor([0.0, 0.0, 0.0]), Tensor([0.0, 1.0, 2.0])
    assert grad(lambda x: F.power(x, n).sum())(x).tolist() == [0, 1, 0]
    assert grad(lambda n: F.power(x, n).sum())(n).tolist() == [0, 0, 0]
    for exponent, slope in [(0, 0), (1, 1), (2, 0), (3, 0)]:
        assert grad(lambda x, e=exponent: (x**e).sum())(x).tolist() == [slope] * 3


def test_a_base_that_is_a_number_keeps_float64():
    x, one = Tensor([1.0], dtype=np.float64), Tensor([1.0], dtype=np.float64)
    exact = 2 * math.log(2) ** 2
    assert abs(hvp(lambda x: (2.0**x).sum(), x, one).item() - exact) < 1e-15


def test_mixed_second_derivative_of_a_power_at_exponent_zero():
    a = Tensor([1.7], dtype=np.float64)

    def slope_in_a(b):  # d/da a^b = b a^(b-1), whose derivative in b at 0 is 1 / a
        return grad(lambda a: F.power(a, b).sum())(a).sum()

    assert abs(grad(slope_in_a)(Tensor([0.0], dtype=np.float64)).item() - 1 / 1.7) < 1e-14


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_far_out(dtype):
    x = Tensor([-1e4, -200.0, -30.0, 0.0, 30.0, 200.0, 1e4], dtype=dtype)
    for function in (F.sigmoid, F.softplus, F.tanh, F.erf, F.relu):
        assert np.isfinite(function(x).numpy()).all()
        assert np.isfinite(grad(lambda x, f=function: f(x).sum())(x).numpy()).all()


def test_sigmoid_keeps_its_digits_where_it_is_small():
    x = np.array([-80.0, -20.0, -5.0, 0.0, 5.0], np.float32)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    np.testing.assert_allclose(F.sigmoid(Tensor(x)).numpy(), exact, rtol=3e-7)


def test_straight_through_takes_the_gradient_of_the_soft_value():
    x = Tensor([0.3, -1.2, 0.8], dtype=np.float64)
    got = grad(lambda x: (F.straight_through(F.sign(x), x * x) * 3.0).sum())(x)
    np.testing.assert_allclose(got.numpy(), 6 * x.numpy())
    np.testing.assert_array_equal(F.straight_through(F.sign(x), x * x).numpy(), np.sign(x.numpy()))


def test_the_gradient_of_abs_at_zero_is_zero():
    for x in (Tensor([0.0, 2.0]), Tensor([0j, 2 + 0j])):
        assert grad(lambda x: F.abs(x).sum())(x).tolist() == [0, 1]


def test_rounding_and_comparing_have_no_derivative():
    x = Tensor([0.3, 1.7], requires_grad=True)
    for function in (F.floor, F.ceil, F.round, F.isnan, F.isfinite, F.logical_not):
        assert not function(x).requires_grad
    for function in (F.greater, F.less, F.equal, F.not_equal, F.logical_and, F.logical_or):
        assert not function(x, 1.0).requires_grad


def test_an_integer_has_no_derivative():
    x = Tensor([2.5, -1.5], dtype=np.float64)
    got = grad(lambda x: (F.astype(F.astype(x, np.int64), np.float64) * x).sum())(x)
    assert got.tolist() == [2, -1]


def test_clip_wants_a_bound():
    with pytest.raises(ValueError, match="low, high or both"):
        F.clip(Tensor([1.0]))


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"\(2,3\) \(2,5\)"):
        F.add(real(2, 3), real(2, 5))
