"""Primitives of linear algebra: solving, inverting, factorising, over the last two axes.

A rule follows from differentiating what defines the output. For Y = A^-1 B, A dY + dA Y = dB, so
the cotangent of B is A^-H g, and that of A is -(A^-H g) Y^H. For a factorisation A = U S V^H the
derivative of U, within the directions that U already has, divides by differences of singular
values: where two are equal the factors are not differentiable, and the rule divides by 0.

Sources of the factorisations' rules: Giles, "Collected matrix derivative results" (2008);
Walter and Lehmann (2010) for QR; Wan and Zhang (2019) for the complex SVD.
"""

from minitx.autograd.primitive import primitive
from minitx.autograd.rules.common import adjoint, library
from minitx.autograd.rules.triangular import solve_triangular


def _eye(F, x):
    """The identity of the size of ``x``'s last axis, real, with as many axes as ``x``."""
    n, dtype = x.shape[-1], f"f{x.dtype.itemsize // (2 if x.dtype.kind == 'c' else 1)}"
    return library(F, x).eye(n, dtype=dtype).reshape((1,) * (len(x.shape) - 2) + (n, n))


def _skew(F, x):
    return x - adjoint(F, x)


def _named(forward, expected):
    """``forward``, whose failure says what was expected."""

    def checked(xp, a, *rest, **params):
        try:
            return forward(xp, a, *rest, **params)
        except ValueError as error:  # LinAlgError is one
            raise type(error)(f"expected {expected}, got shape {a.shape}: {error}") from None

    return checked


# ------------------------------------------------------------------------------------ solving


def _solve_vjp_b(F, g, y, a, b):
    return F.solve(adjoint(F, a), g)


def _solve_vjp_a(F, g, y, a, b):
    return -_solve_vjp_b(F, g, y, a, b) @ adjoint(F, y)


def _triangular_vjp_b(F, g, y, a, b, lower, unit_diagonal):
    return F.solve_triangular(adjoint(F, a), g, lower=not lower, unit_diagonal=unit_diagonal)


def _triangular_vjp_a(F, g, y, a, b, lower, unit_diagonal):
    """As for ``solve``; only the triangle that is read has a derivative."""
    full = -_triangular_vjp_b(F, g, y, a, b, lower, unit_diagonal) @ adjoint(F, y)
    offset = 1 if unit_diagonal else 0
    return F.tril(full, offset=-offset) if lower else F.triu(full, offset=offset)


def _slogdet_vjp(F, g, y, a):
    """d log det = tr(A^-1 dA): its real part moves log |det|, its imaginary part turns the sign."""
    turn, size = g
    if a.dtype.kind == "c":
        size = size + 1j * F.imag(turn * F.conj(y[0]))
    return _matrix(F, size) * adjoint(F, F.inverse(a))


def _matrix(F, x):
    """A number per matrix, with two axes of length 1 to multiply the matrix by."""
    return F.reshape(x, shape=(*x.shape, 1, 1))


solve_ = primitive(
    "solve",
    _named(lambda xp, a, b: xp.linalg.solve(a, b), "invertible matrices"),
    vjp=(_solve_vjp_a, _solve_vjp_b),
    meets="float",
)
solve_triangular_ = primitive(
    "solve_triangular", solve_triangular, vjp=(_triangular_vjp_a, _triangular_vjp_b), meets="float"
)
inverse_ = primitive(
    "inverse",
    _named(lambda xp, a: xp.linalg.inv(a), "invertible matrices"),
    vjp=lambda F, g, y, a: -adjoint(F, y) @ g @ adjoint(F, y),
    meets="float",
)
det_ = primitive(
    "det",
    lambda xp, a: xp.asarray(xp.linalg.det(a)),
    vjp=lambda F, g, y, a: _matrix(F, g * F.conj(y)) * adjoint(F, F.inverse(a)),
    meets="float",
)
slogdet_ = primitive(
    "slogdet",
    lambda xp, a: tuple(xp.asarray(part) for part in xp.linalg.slogdet(a)),
    vjp=_slogdet_vjp,
    several=True,
    meets="float",
)

# -------------------------------------------------------------------------------- factorising


def _cholesky_vjp(F, g, y, a):
    """L^-H P L^-1, where P is the lower triangle of L^H g with half its diagonal."""
    inner = F.tril(adjoint(F, y) @ g, offset=0)
    inner = inner - inner * (0.5 * _eye(F, y))
    up = {"lower": False, "unit_diagonal": False}
    left = F.solve_triangular(adjoint(F, y), inner, **up)
    return adjoint(F, F.solve_triangular(adjoint(F, y), adjoint(F, left), **up))


def _qr_vjp(F, g, y, a):
    (gq, gr), (q, r) = g, y
    inner = F.triu(gr @ adjoint(F, r) - adjoint(F, q) @ gq, offset=0)
    whole = inner + adjoint(F, inner)
    whole = whole - whole * (0.5 * _eye(F, whole))
    right = adjoint(F, gq + q @ whole)
    return adjoint(F, F.solve_triangular(r, right, lower=False, unit_diagonal=False))


def _eigh_vjp(F, g, y, a):
    (gw, gv), (w, v) = g, y
    eye = _eye(F, v)
    gaps = w[..., None, :] - w[..., :, None] + eye
    inner = (adjoint(F, v) @ gv) * ((1 - eye) / gaps) + gw[..., None, :] * eye
    return v @ inner @ adjoint(F, v)


def _svd_vjp(F, g, y, a):
    (gu, gs, gvh), (u, s, vh) = g, y
    eye = _eye(F, vh @ adjoint(F, vh))
    v, gv = adjoint(F, vh), adjoint(F, gvh)
    across, down = s[..., None, :], s[..., :, None]
    gaps = across * across - down * down + eye
    left, right = _skew(F, adjoint(F, u) @ gu), _skew(F, adjoint(F, v) @ gv)
    inner = left / gaps * across + down * (right / gaps) + gs[..., None, :] * eye
    if a.dtype.kind == "c":  # the phase that u and v share may turn
        inner = inner + left * eye / (2 * across)
    found = u @ inner @ vh
    if a.shape[-2] > a.shape[-1]:  # directions that u does not have
        found = found + (gu - u @ (adjoint(F, u) @ gu)) / across @ vh
    if a.shape[-1] > a.shape[-2]:
        found = found + u / across @ adjoint(F, gv - v @ (vh @ gv))
    return found


cholesky_ = primitive(
    "cholesky",
    _named(lambda xp, a: xp.linalg.cholesky(a), "positive definite matrices"),
    vjp=_cholesky_vjp,
    saves="output",
    meets="float",
)
qr_ = primitive(
    "qr", lambda xp, a: tuple(xp.linalg.qr(a)), vjp=_qr_vjp, several=True, meets="float"
)
eigh_ = primitive(
    "eigh", lambda xp, a: tuple(xp.linalg.eigh(a)), vjp=_eigh_vjp, several=True, meets="float"
)
svd_ = primitive(
    "svd",
    lambda xp, a: tuple(xp.linalg.svd(a, full_matrices=False)),
    vjp=_svd_vjp,
    several=True,
    meets="float",
)
