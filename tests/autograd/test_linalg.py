"""Linear algebra: what defines each result, derivatives, arguments that do not fit."""

import itertools

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, prove, real

CASES = {
    "solve", "solve_triangular", "inverse", "det", "slogdet", "cholesky", "qr", "eigh", "svd",
}  # fmt: skip
BOTH = pytest.mark.parametrize("make", [real, cplx])


def adjoint(x):
    return F.conj(F.swapaxes(x, -1, -2))


def away_from_singular(make, *shape):
    """Matrices with a heavy diagonal."""
    x = make(*shape)
    return Tensor(x.data + 4 * np.eye(shape[-1]), dtype=x.dtype)


def same(got, expected):
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-11, atol=1e-11)


# ------------------------------------------------------------------------------------ solving


@BOTH
def test_solve(make, broadcasting):
    a, b = away_from_singular(make, 2, 1, 4, 4), make(3, 4, 5)
    prove("solve", F.solve, a, b)
    same(a @ F.solve(a, b), F.broadcast_to(b, 2, 3, 4, 5))
    vector = make(4)
    same((a @ F.solve(a, vector)[..., None])[..., 0], F.broadcast_to(vector, 2, 1, 4))


@BOTH
@pytest.mark.parametrize(
    ("lower", "transposed", "unit"), itertools.product([True, False], repeat=3)
)
def test_solve_triangular(make, lower, transposed, unit, broadcasting):
    a, b = away_from_singular(make, 2, 5, 5), make(3, 1, 5, 4)
    how = {"lower": lower, "transposed": transposed, "unit_diagonal": unit}
    prove("solve_triangular", lambda a, b: F.solve_triangular(a, b, **how), a, b)
    triangle = (np.tril if lower else np.triu)(a.numpy())
    if unit:
        triangle = triangle * (1 - np.eye(5)) + np.eye(5)
    if transposed:
        triangle = triangle.swapaxes(-1, -2)
    expected = np.linalg.solve(triangle, np.broadcast_to(b.numpy(), (3, 2, 5, 4)))
    np.testing.assert_allclose(F.solve_triangular(a, b, **how).numpy(), expected, rtol=1e-11)


@pytest.mark.parametrize("n", [1, 15, 16, 17, 40, 64])
@pytest.mark.parametrize("lower", [True, False])
def test_blocks_of_a_triangle(n, lower):
    """Residuals at the level of rounding, at every length around a multiple of the block."""
    a, b = away_from_singular(real, 3, n, n), real(3, n, 2)
    x = F.solve_triangular(a, b, lower=lower)
    triangle = (F.tril if lower else F.triu)(a)
    size = np.abs(triangle.numpy()).sum(-1).max() * np.abs(x.numpy()).max()
    assert np.abs((triangle @ x - b).numpy()).max() <= 1e-15 * n * size
    vector = F.solve_triangular(a[0], b[0, :, 0], lower=lower)
    np.testing.assert_allclose(vector.numpy(), x.numpy()[0, :, 0], rtol=1e-9)


def test_the_other_triangle_is_not_read():
    a, b = away_from_singular(real, 20, 20), real(20, 3)
    poisoned = np.where(np.tri(20, dtype=bool), a.numpy(), np.nan)
    same(F.solve_triangular(Tensor(poisoned, dtype=np.float64), b), F.solve_triangular(a, b))
    poisoned = np.where(np.tri(20, k=-1, dtype=bool), a.numpy(), np.nan)
    x = F.solve_triangular(Tensor(poisoned, dtype=np.float64), b, unit_diagonal=True)
    assert np.isfinite(x.numpy()).all()


@pytest.mark.parametrize(("left", "right"), [(real, cplx), (cplx, real)])
def test_real_meets_complex(left, right):
    a, b = away_from_singular(left, 2, 4, 4), right(2, 4, 3)
    check_grads(F.solve, a, b)
    check_grads(F.solve_triangular, a, b)


@BOTH
def test_inverse_and_determinants(make):
    a = make(3, 4, 4)
    prove("inverse", F.inverse, a)
    prove("det", F.det, a)
    prove("slogdet", F.slogdet, a)
    np.testing.assert_allclose((a @ F.inverse(a)).numpy(), np.broadcast_to(np.eye(4), (3, 4, 4)),
                               atol=1e-11)  # fmt: skip
    sign, size = F.slogdet(a)
    same(sign * F.exp(size), F.det(a))
    same(F.det(a @ a), F.det(a) * F.det(a))


# -------------------------------------------------------------------------------- factorising


@BOTH
def test_cholesky(make):
    x = make(2, 4, 4)
    a = x @ adjoint(x) + Tensor(np.broadcast_to(np.eye(4), (2, 4, 4)), dtype=np.float64)
    prove("cholesky", F.cholesky, a)
    factor = F.cholesky(a)
    same(factor @ adjoint(factor), a)
    assert (np.triu(factor.numpy(), 1) == 0).all()


@BOTH
@pytest.mark.parametrize("shape", [(2, 6, 4), (4, 4), (3, 1)])
def test_qr(make, shape):
    a = make(*shape)
    prove("qr", F.qr, a)
    q, r = F.qr(a)
    same(q @ r, a)
    gram = (adjoint(q) @ q).numpy()
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(shape[-1]), gram.shape), atol=1e-12)
    assert (np.tril(r.numpy(), -1) == 0).all()


@BOTH
def test_eigh(make):
    a, weight = make(2, 4, 4), real(2, 4, 4, seed=1)

    def without_phase(a):
        w, v = F.eigh(a)
        return w, F.abs(v) * weight, (v * F.sin(w)[..., None, :]) @ adjoint(v)

    prove("eigh", without_phase, a)
    w, v = F.eigh(a)
    same((v * w[..., None, :]) @ adjoint(v), (a + adjoint(a)) / 2)
    assert (np.diff(w.numpy()) > 0).all()


@BOTH
@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 3, 5), (4, 4), (1, 3), (3, 1)])
def test_svd(make, shape):
    *batch, m, n = shape
    k = min(m, n)
    left, right = real(*batch, m, k, seed=1), real(*batch, k, n, seed=2)

    def without_phase(a):
        u, s, vh = F.svd(a)
        within = (u * F.sin(s)[..., None, :]) @ vh
        return F.abs(u) * left, F.abs(vh) * right, within, u @ adjoint(u), adjoint(vh) @ vh, s

    a = make(*shape)
    prove("svd", without_phase, a)
    prove("svd", lambda a: F.svd(a)[1], a)
    if make is real:  # the signs of real factors do not jump
        prove("svd", F.svd, a)
    u, s, vh = F.svd(a)
    same((u * s[..., None, :]) @ vh, a)


def test_diagonals(broadcasting):
    x = real(2, 3, 5)
    for offset in (-1, 0, 2, 5, -4):
        check_grads(lambda x, k=offset: F.diagonal(x, k), x)
        np.testing.assert_array_equal(
            F.diagonal(x, offset).numpy(), np.diagonal(x.numpy(), offset, -2, -1)
        )
    vectors = real(3, 4)
    for offset in (-2, 0, 1):
        check_grads(lambda x, k=offset: F.diag(x, k), vectors)
        for row, matrix in zip(vectors.numpy(), F.diag(vectors, offset).numpy(), strict=True):
            np.testing.assert_array_equal(matrix, np.diag(row, offset))
    np.testing.assert_allclose(F.trace(x).numpy(), np.trace(x.numpy(), axis1=-2, axis2=-1))
    check_grads(F.trace, x)


def test_outer():
    a, b = cplx(2, 3), cplx(2, 4)
    check_grads(F.outer, a, b)
    for i in range(2):
        expected = np.outer(a.numpy()[i], b.numpy()[i])
        np.testing.assert_array_equal(F.outer(a, b).numpy()[i], expected)


def test_matrices_without_rows_and_batches_of_none():
    for shape in ((0, 0), (0, 3, 3)):
        a = real(*shape)
        check_grads(lambda a: F.solve_triangular(a, a), a)
        check_grads(F.inverse, a)
        check_grads(F.det, a)
        check_grads(lambda a: F.cholesky(a @ adjoint(a)), a)
    assert F.solve_triangular(real(3, 0, 0), real(0, 2)).shape == (3, 0, 2)
    assert F.solve_triangular(real(3, 3), real(3, 0)).shape == (3, 0)
    check_grads(F.svd, real(0, 3, 2))


def test_float32_stays_float32():
    x = Tensor(np.eye(3) * 2 + 0.1 * np.arange(9).reshape(3, 3), requires_grad=True)
    for function in (F.inverse, F.det, F.cholesky, lambda x: F.solve_triangular(x, x)):
        y = function(x)
        assert y.dtype == np.float32
        x.grad = None
        F.sum(y).backward()
        assert x.grad.dtype == np.float32
    for function in (F.svd, F.eigh, F.qr, F.slogdet):
        assert all(part.dtype == np.float32 for part in function(x))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.solve(real(3, 4), real(3)),
            ValueError,
            r"solve expected square .*got shape \(3, 4\)",
        ),
        (lambda: F.solve(real(3, 3), real(4, 2)), ValueError, r"got \(3, 3\) and \(4, 2\)"),
        (lambda: F.solve_triangular(real(3, 3), real(4)), ValueError, r"got \(3, 3\) and \(4, 1\)"),
        (lambda: F.inverse(real(3)), ValueError, r"inverse expected matrices .*got shape \(3,\)"),
        (
            lambda: F.inverse(np.zeros((2, 2))),
            np.linalg.LinAlgError,
            r"invertible matrices, got shape \(2, 2\)",
        ),
        (
            lambda: F.solve(np.zeros((2, 2)), np.ones(2)),
            np.linalg.LinAlgError,
            "invertible matrices",
        ),
        (lambda: F.cholesky(-np.eye(3)), np.linalg.LinAlgError, r"positive definite .*\(3, 3\)"),
        (lambda: F.qr(real(3, 4)), ValueError, r"m >= n, got \(3, 4\)"),
        (lambda: F.svd(real(3)), ValueError, r"svd expected matrices .*\(3,\)"),
        (lambda: F.eigh(real(3, 4)), ValueError, r"eigh expected square .*\(3, 4\)"),
        (lambda: F.diag(real()), ValueError, r"diag expected \(..., n\), got \(\)"),
        (
            lambda: F.outer(real(), real(3)),
            ValueError,
            r"outer expected vectors .*got \(\), \(3,\)",
        ),
        (lambda: F.trace(real(3)), ValueError, r"got shape \(3,\)"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
