"""Running sums and products and the linear recurrence, against loops; real and complex."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, nonzero, prove, real

CASES = {"cumsum", "cumprod", "scan"}


def recurrence(a, b, reverse=False):
    """h_t = a_t h_{t-1} + b_t over the first axis, by the definition."""
    h, found = np.zeros(b.shape[1:], b.dtype), []
    for a_t, b_t in reversed(list(zip(a, b))) if reverse else zip(a, b):
        h = a_t * h + b_t
        found.append(h)
    found = found[::-1] if reverse else found
    return np.stack(found) if found else np.zeros(b.shape)


@pytest.mark.parametrize("shape", [(5,), (5, 2, 3), (1, 3), (0, 3), (4, 0)])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("draw", [real, cplx])
def test_scan(shape, reverse, draw):
    a, b = draw(*shape), draw(*shape, seed=1)
    prove("scan", lambda a, b: F.scan(a, b, 0, reverse), a, b)
    expected = recurrence(a.numpy(), b.numpy(), reverse)
    np.testing.assert_allclose(F.scan(a, b, 0, reverse).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_scan_over_any_axis(axis):
    a, b = real(2, 3, 5), real(2, 3, 5, seed=1)
    check_grads(lambda a, b: F.scan(a, b, axis), a, b)
    expected = np.moveaxis(
        recurrence(np.moveaxis(a.numpy(), axis, 0), np.moveaxis(b.numpy(), axis, 0)), 0, axis
    )
    np.testing.assert_allclose(F.scan(a, b, axis).numpy(), expected, rtol=1e-12)


def test_scan_broadcasts_its_decay(broadcasting):
    b = real(5, 3)
    check_grads(lambda a, b: F.scan(a, b), real(3), b)
    check_grads(lambda a, b: F.scan(a, b), real(5, 1), b)
    check_grads(lambda a, b: F.scan(a, b), cplx(3), b)
    expected = recurrence(np.full((5, 3), 0.9), b.numpy())
    np.testing.assert_allclose(F.scan(0.9, b).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("draw", [nonzero, cplx])
def test_cumulative_sums_and_products(draw):
    for shape, axis in [((2, 3, 5), 1), ((2, 3, 5), -1), ((4,), 0), ((1, 3), 0), ((0, 3), 0)]:
        x = draw(*shape)
        prove("cumsum", lambda x, a=axis: F.cumsum(x, a), x)
        prove("cumprod", lambda x, a=axis: F.cumprod(x, a), x)
        np.testing.assert_allclose(F.cumsum(x, axis).numpy(), np.cumsum(x.numpy(), axis))
        np.testing.assert_allclose(F.cumprod(x, axis).numpy(), np.cumprod(x.numpy(), axis))


def test_a_running_product_through_zero():
    x = real(5) * np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    check_grads(lambda x: F.cumprod(x, 0), x)


def test_an_axis_that_does_not_exist():
    for function in (F.cumsum, F.cumprod):
        with pytest.raises(ValueError, match="axis 2 does not exist"):
            function(real(2, 3), 2)
