"""Reductions: sums, means, extremes, norms: over every axis, with ties, over nothing."""

import itertools

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.transforms import grad
from tests.autograd.battery import cplx, distinct, nonzero, prove, real

AXES = [None, 0, 1, -1, (0, 2), (1,), (2, 0, 1), ()]
# name: (function, the primitive behind it, how to draw, NumPy's)
REDUCTIONS = {
    "sum": (F.sum, "sum", real, np.sum),
    "mean": (F.mean, "mean", real, np.mean),
    "max": (F.max, "max", distinct, np.max),
    "min": (F.min, "min", distinct, np.min),
    "logsumexp": (F.logsumexp, "logsumexp", real, lambda x, **k: np.log(np.exp(x).sum(**k))),
    "prod": (F.prod, "cumprod", nonzero, np.prod),
    "var": (F.var, "sum", real, np.var),
    "std": (F.std, "sqrt", distinct, np.std),
    "norm": (F.norm, "square", nonzero, lambda x, **k: np.sqrt((x * x).sum(**k))),
}
CASES = {"sum", "mean", "max", "min", "logsumexp"}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_every_axis(name, keepdims):
    function, primitive, draw, reference = REDUCTIONS[name]
    x = draw(2, 3, 5)
    for axis in AXES:
        if axis == () and name in ("var", "std", "prod", "norm"):
            continue  # of single numbers: nothing varies
        prove(primitive, lambda x, a=axis: function(x, axis=a, keepdims=keepdims), x)
        expected = reference(x.numpy(), axis=axis, keepdims=keepdims)
        got = function(x, axis=axis, keepdims=keepdims).numpy()
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "norm"])
def test_complex(name):
    function, *_ = REDUCTIONS[name]
    x = cplx(3, 2)
    for axis in (None, 0, 1):
        check_grads(lambda x, a=axis: function(x, axis=a), x)
    if name in ("sum", "mean", "prod", "var"):
        reference = REDUCTIONS[name][3]
        np.testing.assert_allclose(function(x, 0).numpy(), reference(x.numpy(), axis=0))


@pytest.mark.parametrize("shape", [(), (1,), (1, 3), (2, 1, 1)])
def test_axes_of_length_one(shape):
    for name in ("sum", "mean", "max", "min", "logsumexp", "prod"):
        function, *_ = REDUCTIONS[name]
        check_grads(lambda x, f=function: f(x), distinct(*shape) + 1.1)


@pytest.mark.parametrize(("shape", "axis"), [((0,), None), ((0, 3), 0), ((2, 0), 1), ((0, 3), 1)])
def test_nothing_to_sum(shape, axis):
    x = real(*shape)
    neutral = {"sum": 0.0, "prod": 1.0, "logsumexp": -np.inf, "norm": 0.0}
    for name, value in neutral.items():
        function, *_ = REDUCTIONS[name]
        got = function(x, axis)
        assert got.shape == np.sum(x.numpy(), axis=axis).shape
        assert (got.numpy() == value).all()
        assert grad(lambda x, f=function: f(x, axis).sum())(x).shape == shape


def test_the_greatest_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="zero-size"):
        F.max(real(2, 0), 1)
    with pytest.raises(ValueError, match="more entries than ddof"):
        F.var(real(2, 1), 1, ddof=1)


def test_ties_share_the_gradient_of_an_extreme():
    x = Tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    half, third = 1 / 2, 1 / 3
    np.testing.assert_allclose(
        grad(lambda x: F.max(x, 1).sum())(x).numpy(), [[0, half, half], [third] * 3], rtol=1e-6
    )
    np.testing.assert_allclose(
        grad(lambda x: F.min(x, 1).sum())(x).numpy(), [[1, 0, 0], [third] * 3], rtol=1e-6
    )
    assert grad(lambda x: F.max(x))(x).numpy().sum() == pytest.approx(1)


def test_a_product_with_zeros_has_the_right_gradient():
    x = Tensor([[2.0, 0.0, 5.0], [0.0, 0.0, 3.0], [2.0, 3.0, 5.0]], dtype=np.float64)
    got = grad(lambda x: F.prod(x, 1).sum())(x).numpy()
    np.testing.assert_array_equal(got, [[0, 10, 0], [0, 0, 0], [15, 10, 6]])
    check_grads(lambda x: F.prod(x, 1), x)


def test_logsumexp_at_the_edge():
    x = Tensor([[-np.inf, -np.inf], [1e4, 1e4], [-np.inf, 2.0]])
    got = F.logsumexp(x, 1).numpy()
    np.testing.assert_allclose(got, [-np.inf, 1e4 + np.log(2), 2.0])
    slope = grad(lambda x: F.logsumexp(x, 1)[1:].sum())(x).numpy()
    np.testing.assert_allclose(slope[1:], [[0.5, 0.5], [0, 1]], rtol=1e-3)  # float32


@pytest.mark.parametrize("order", [1, 2, 3, 1.5, np.inf, np.float64(3)])
def test_norms(order):
    x = distinct(3, 5) + 0.77
    check_grads(lambda x: F.norm(x, 1, order=order), x)
    expected = np.linalg.norm(x.numpy(), ord=order, axis=1)
    np.testing.assert_allclose(F.norm(x, 1, order=order).numpy(), expected, rtol=1e-12)
    zero = Tensor(np.zeros(3))
    assert np.isfinite(grad(lambda x: F.norm(x, order=order))(zero).numpy()).all()


def test_variance_divides_by_n_minus_ddof():
    x = real(3, 5)
    for ddof in (0, 1, 2):
        np.testing.assert_allclose(F.var(x, 1, ddof=ddof).numpy(), x.numpy().var(1, ddof=ddof))


def test_argmax_and_argmin():
    x = distinct(2, 3, 5)
    for axis in (None, 0, -1):
        assert F.argmax(x, axis).tolist() == x.numpy().argmax(axis).tolist()
        assert F.argmin(x, axis).tolist() == x.numpy().argmin(axis).tolist()


def test_axes_that_do_not_exist_are_named():
    x = real(2, 3)
    for axis, message in [(2, "axis 2"), (-3, "axis -3"), ((0, 0), "different axes")]:
        with pytest.raises(ValueError, match=message):
            F.sum(x, axis)


def test_reductions_in_a_row_undo_each_other():
    x = real(2, 3, 5)
    for first, second in itertools.permutations(range(3), 2):
        rest = second - (first < second)
        np.testing.assert_allclose(
            F.sum(F.sum(x, first), rest).numpy(), x.numpy().sum((first, second))
        )
