"""Linear algebra, Fourier transforms, sorting and erf beside PyTorch: values and gradients."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity
linalg, transforms = torch.linalg, torch.fft
REAL = [np.float32, np.float64]
COMPLEX = [np.complex64, np.complex128]


def tolerance(dtype):
    return 1e-5 if np.dtype(dtype) in (np.float32, np.complex64) else 1e-10


def hermitian(x):
    return (x + x.mH) / 2


# name: (ours, PyTorch's, kind of matrix, shapes)
MATRICES = {
    "solve": (F.solve, linalg.solve, [(2, 4, 4), (2, 4, 3)]),
    "solve_triangular, lower": (
        F.solve_triangular,
        lambda a, b: linalg.solve_triangular(a, b, upper=False),
        [(2, 19, 19), (2, 19, 3)],
    ),
    "solve_triangular, upper, unit": (
        lambda a, b: F.solve_triangular(0.1 * a, b, lower=False, unit_diagonal=True),
        lambda a, b: linalg.solve_triangular(0.1 * a, b, upper=True, unitriangular=True),
        [(2, 19, 19), (2, 19, 3)],
    ),
    "solve_triangular, transposed": (
        lambda a, b: F.solve_triangular(a, b, transposed=True),
        lambda a, b: linalg.solve_triangular(a.mT, b, upper=True),
        [(2, 5, 5), (2, 5, 3)],
    ),
    "inverse": (F.inverse, linalg.inv, [(3, 4, 4)]),
    "det": (lambda a: F.det(a * 0.2), lambda a: linalg.det(a * 0.2), [(3, 4, 4)]),
    "slogdet": (F.slogdet, linalg.slogdet, [(3, 4, 4)]),
    "cholesky": (
        lambda a: F.cholesky(a),
        lambda a: linalg.cholesky(hermitian(a)),
        [(2, 4, 4)],
    ),
    "qr": (F.qr, linalg.qr, [(2, 4, 4)]),
    "eigh": (
        lambda a: tuple(F.abs(part) for part in F.eigh(a)),
        lambda a: tuple(part.abs() for part in linalg.eigh(hermitian(a))),
        [(2, 4, 4)],
    ),
    "svd": (
        lambda a: tuple(F.abs(part) for part in F.svd(a[..., :3])),
        lambda a: tuple(part.abs() for part in linalg.svd(a[..., :3], full_matrices=False)),
        [(2, 4, 4)],
    ),
    "svd, wide": (
        lambda a: tuple(F.abs(part) for part in F.svd(a[..., :3, :])),
        lambda a: tuple(part.abs() for part in linalg.svd(a[..., :3, :], full_matrices=False)),
        [(2, 4, 4)],
    ),
    "diag, diagonal, trace": (
        lambda a: F.diag(F.diagonal(a, 1), -1) * F.trace(a)[:, None, None],
        lambda a: (
            torch.diag_embed(a.diagonal(1, -2, -1), -1)
            * a.diagonal(0, -2, -1).sum(-1)[:, None, None]
        ),
        [(2, 4, 4)],
    ),
}


def heavy_diagonal(rng, shape, dtype):
    x = rng.uniform(-1, 1, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(-1, 1, shape)
    if shape[-1] == shape[-2]:  # different entries, so that eigenvalues and singular values differ
        x = x + np.diag(4 + 2.0 * np.arange(shape[-1]))
    return x.astype(dtype)


def compare(ours, reference, arrays, dtype, rng):
    mine = [Tensor(x, dtype=x.dtype, requires_grad=True) for x in arrays]
    other = [torch.tensor(x, requires_grad=True) for x in arrays]
    outputs, expected = ours(*mine), reference(*other)
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    mine_total, other_total = 0, 0
    close = {"rtol": tolerance(dtype), "atol": tolerance(dtype) * 4}
    for y, z in zip(outputs, expected, strict=True):
        assert y.shape == tuple(z.shape)
        assert str(y.dtype) == str(z.dtype).removeprefix("torch.")
        np.testing.assert_allclose(y.numpy(), z.detach().resolve_conj().numpy(), **close)
        g = rng.standard_normal(y.shape) + (
            1j * rng.standard_normal(y.shape) if y.dtype.kind == "c" else 0
        )
        g = g.astype(y.dtype)
        mine_total = mine_total + F.sum(F.real(y * g))
        other_total = other_total + (z * torch.tensor(g)).real.sum()
    mine_total.backward()
    other_total.backward()
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.resolve_conj().numpy(), **close)


@pytest.mark.parametrize("dtype", [*REAL, *COMPLEX])
@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name, dtype, rng):
    ours, reference, shapes = MATRICES[name]
    compare(ours, reference, [heavy_diagonal(rng, shape, dtype) for shape in shapes], dtype, rng)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [5, 6, 8])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
@pytest.mark.parametrize("dtype", [*REAL, *COMPLEX])
def test_transforms(name, n, norm, dtype, rng):
    if name == "rfft" and dtype in COMPLEX:
        return
    x = rng.standard_normal((3, 6, 2)).astype(dtype)
    if dtype in COMPLEX:
        x = x + (1j * rng.standard_normal(x.shape)).astype(dtype)
    compare(
        lambda x: getattr(F, name)(x, n, 1, norm),
        lambda x: getattr(transforms, name)(x, n, 1, norm),
        [x], dtype, rng,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
@pytest.mark.parametrize("dtype", REAL)
def test_two_dimensional_transforms(name, dtype, rng):
    x = rng.standard_normal((3, 4, 5)).astype(dtype)
    compare(
        lambda x: getattr(F, name)(x, (6, 4), (1, 0)),
        lambda x: getattr(transforms, name)(x, (6, 4), (1, 0)),
        [x], dtype, rng,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", REAL)
def test_sorting(dtype, rng):
    x = rng.permutation(60).reshape(3, 4, 5).astype(dtype)
    compare(lambda x: F.sort(x, 1), lambda x: x.sort(1).values, [x], dtype, rng)
    compare(lambda x: F.sort(x, 0, True), lambda x: x.sort(0, True).values, [x], dtype, rng)
    compare(lambda x: F.topk(x, 2, 1)[0], lambda x: x.topk(2, 1).values, [x], dtype, rng)
    assert (F.topk(x, 2, 1)[1].numpy() == torch.tensor(x).topk(2, 1).indices.numpy()).all()
    ties = rng.integers(3, size=(4, 9))
    for descending in (False, True):
        expected = torch.tensor(ties).argsort(dim=-1, descending=descending, stable=True).numpy()
        assert (F.argsort(ties, -1, descending).numpy() == expected).all()


@pytest.mark.parametrize("dtype", REAL)
def test_erf(dtype, rng):
    x = np.concatenate([np.linspace(-6, 6, 1001), np.geomspace(1e-30, 1, 101)]).astype(dtype)
    compare(F.erf, torch.erf, [x], dtype, rng)
