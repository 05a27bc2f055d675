"""Linear algebra over the last two axes: solving, inverting, factorising, diagonals."""

from typing import Any

from minitx import backend
from minitx.autograd.functions.arithmetic import conj
from minitx.autograd.functions.indexing import getitem, scatter_add
from minitx.autograd.functions.reductions import sum  # noqa: A004
from minitx.autograd.functions.shape import expand_dims, squeeze, swapaxes
from minitx.autograd.rules import linalg as rules
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any


def solve(a: Like, b: Like) -> Tensor:
    """x with a x = b: a (..., n, n), b (..., n, k) -> (..., n, k); or b (n,) -> (..., n).

    Raises LinAlgError for a singular matrix, ValueError when the shapes do not fit.
    """
    return _solve("solve", a, b, rules.solve_)


def solve_triangular(a: Like, b: Like, lower: bool = True, transposed: bool = False,
                     unit_diagonal: bool = False) -> Tensor:  # fmt: skip
    """x with A x = b (A^T x = b if ``transposed``), where A is the lower or upper triangle of a.

    a (..., n, n), b (..., n, k) or (n,) -> as b. What stands outside the triangle is not read, nor
    is the diagonal with ``unit_diagonal``, which takes it for ones. A zero on the diagonal gives
    infinities. Raises ValueError when the shapes do not fit.
    """
    a = _square("solve_triangular", a)
    if transposed:
        a, lower = swapaxes(a, -1, -2), not lower
    how = {"lower": lower, "unit_diagonal": unit_diagonal}
    return _solve("solve_triangular", a, b, lambda a, b: rules.solve_triangular_(a, b, **how))


def inverse(a: Like) -> Tensor:
    """a^-1 for a (..., n, n). Raises LinAlgError for a singular matrix."""
    return rules.inverse_(_square("inverse", a))


def det(a: Like) -> Tensor:
    """The determinant: (..., n, n) -> (...). Its gradient exists here for invertible a only."""
    return rules.det_(_square("det", a))


def slogdet(a: Like) -> tuple[Tensor, Tensor]:
    """(sign, log |det a|) of a (..., n, n), each (...): no overflow where ``det`` has one."""
    return rules.slogdet_(_square("slogdet", a))


def cholesky(a: Like) -> Tensor:
    """The lower triangular L with L L^H = (a + a^H) / 2, which must be positive definite.

    a (..., n, n) -> (..., n, n). Raises LinAlgError if it is not.
    """
    return rules.cholesky_(_hermitian(_square("cholesky", a)))


def qr(a: Like) -> tuple[Tensor, Tensor]:
    """(Q, R) with a = Q R, orthonormal columns and an upper triangle: (..., m, n), m >= n.

    Raises ValueError for a wide matrix, whose Q would not be differentiable.
    """
    a = _matrices("qr", a)
    if a.shape[-2] < a.shape[-1]:
        raise ValueError(f"qr expected (..., m, n) with m >= n, got {a.shape}")
    return rules.qr_(a)


def eigh(a: Like) -> tuple[Tensor, Tensor]:
    """(w, V) with (a + a^H) / 2 = V diag(w) V^H and w ascending.

    a (..., n, n) -> w (..., n), V (..., n, n). The gradient of V exists where the eigenvalues
    differ, for functions that do not depend on the sign (phase) of a column.
    """
    return rules.eigh_(_hermitian(_square("eigh", a)))


def svd(a: Like) -> tuple[Tensor, Tensor, Tensor]:
    """(U, s, Vh) with a = U diag(s) Vh, s descending: a (..., m, n), k = min(m, n).

    Shapes (..., m, k), (..., k), (..., k, n). The gradients of U and Vh exist where the singular
    values differ from each other and from 0, for functions that do not depend on the sign (phase)
    that a column of U shares with a row of Vh.
    """
    return rules.svd_(_matrices("svd", a))


def outer(a: Like, b: Like) -> Tensor:
    """a_i b_j of two vectors (n,), (m,) -> (n, m), and so over leading axes."""
    a, b = wrap_constant(a), wrap_constant(b)
    if not a.ndim or not b.ndim:
        raise ValueError(f"outer expected vectors (..., n), (..., m), got {a.shape}, {b.shape}")
    return expand_dims(a, -1) * expand_dims(b, -2)


def diagonal(x: Like, offset: int = 0) -> Tensor:
    """The diagonal ``offset`` places above the main one: (..., m, n) -> (..., k)."""
    x = _matrices("diagonal", x)
    return getitem(x, (..., *_on_diagonal(x, *x.shape[-2:], offset)))


def diag(x: Like, offset: int = 0) -> Tensor:
    """Square matrices with ``x`` (..., n) on a diagonal and zeros elsewhere."""
    x = wrap_constant(x)
    if not x.ndim:
        raise ValueError(f"diag expected (..., n), got {x.shape}")
    n = x.shape[-1] + abs(offset)
    return scatter_add(x, (..., *_on_diagonal(x, n, n, offset)), (*x.shape[:-1], n, n))


def trace(x: Like) -> Tensor:
    """The sum of the main diagonal: (..., m, n) -> (...)."""
    return sum(diagonal(x), -1)


def _on_diagonal(x, rows, columns, offset):
    start = (max(-offset, 0), max(offset, 0))
    length = max(min(rows - start[0], columns - start[1]), 0)
    along = backend.namespace(x.data).arange(length)
    return along + start[0], along + start[1]


def _solve(name, a, b, primitive):
    a, b = _square(name, a), wrap_constant(b)
    vector = b.ndim == 1
    if vector:
        b = expand_dims(b, 1)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise ValueError(
            f"{name} expected (..., n, n) and (..., n, k) or (n,), got {a.shape} and {b.shape}"
        )
    return squeeze(primitive(a, b), -1) if vector else primitive(a, b)


def _hermitian(a):
    return (a + conj(swapaxes(a, -1, -2))) * 0.5


def _matrices(name, a):
    a = wrap_constant(a)
    if a.ndim < 2:
        raise ValueError(f"{name} expected matrices (..., m, n), got shape {a.shape}")
    return a


def _square(name, a):
    a = _matrices(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name} expected square matrices (..., n, n), got shape {a.shape}")
    return a


__all__ = [
    "solve", "solve_triangular", "inverse", "det", "slogdet", "cholesky", "qr", "eigh", "svd",
    "outer", "diagonal", "diag", "trace",
]  # fmt: skip
