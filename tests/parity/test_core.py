"""Elementwise functions, reductions, indices and products beside PyTorch: values, gradients.

Complex gradients included: both take the gradient of a real loss L at a + ib to be dL/da + i dL/db.
"""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.transforms import jacobian, vjp

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.usefixtures("broadcasting")]
REAL, COMPLEX = [np.float32, np.float64], [np.complex64, np.complex128]


def draw(dtype, shape, seed=0, low=0.2, high=2.0):
    """Numbers away from kinks and poles; complex ones of a positive real part."""
    rng = np.random.default_rng([seed, *shape])
    value = rng.uniform(low, high, shape)
    if np.dtype(dtype).kind == "c":
        value = value + 1j * rng.uniform(-1, 1, shape)
    return value.astype(dtype)


def compare(ours, theirs, arrays, exact=False):
    """The same result, and the same gradients for the same random cotangent."""
    dtype = np.result_type(*arrays)
    tolerance = 1e-5 if dtype in (np.float32, np.complex64) else 1e-10
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    expected = theirs(*leaves)
    got, pull = vjp(ours, *(Tensor(x, dtype=x.dtype) for x in arrays))
    assert got.shape == tuple(expected.shape)
    assert str(got.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(
        got.numpy(), expected.detach().resolve_conj().numpy(), rtol=tolerance, atol=tolerance
    )
    rng = np.random.default_rng(3)
    cotangent = rng.standard_normal(got.shape)
    if got.dtype.kind == "c":
        cotangent = cotangent + 1j * rng.standard_normal(got.shape)
    cotangent = cotangent.astype(got.dtype)
    expected.backward(torch.tensor(cotangent))
    for g, leaf in zip(pull(Tensor(cotangent, dtype=got.dtype)), leaves, strict=True):
        reference = leaf.grad.resolve_conj().numpy()
        assert g.dtype == reference.dtype
        scale = max(1.0, float(np.abs(reference).max(initial=0)))
        np.testing.assert_allclose(g.numpy(), reference, rtol=tolerance, atol=tolerance * scale)


UNARY = {
    "neg": torch.neg, "square": torch.square, "reciprocal": torch.reciprocal, "exp": torch.exp,
    "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "tanh": torch.tanh, "sin": torch.sin, "cos": torch.cos, "arctan": torch.arctan,
    "sigmoid": torch.sigmoid, "abs": torch.abs,
}  # fmt: skip
REAL_ONLY = {
    "erf": torch.erf, "softplus": torch.nn.functional.softplus, "relu": torch.relu,
    "sign": torch.sign,
    "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": torch.nn.functional.silu,
}  # fmt: skip


@pytest.mark.parametrize("dtype", REAL + COMPLEX)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    compare(getattr(F, name), UNARY[name], [draw(dtype, (3, 5))])


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("name", REAL_ONLY)
def test_unary_real(name, dtype):
    x = draw(dtype, (3, 5)) * np.where(np.arange(5) % 2, 1, -1).astype(dtype)
    compare(getattr(F, name), REAL_ONLY[name], [x])


@pytest.mark.parametrize("dtype", COMPLEX)
def test_parts_of_complex_numbers(dtype):
    z = draw(dtype, (3, 5))
    compare(F.real, torch.real, [z])
    compare(F.imag, torch.imag, [z])
    compare(F.conj, torch.conj, [z])
    compare(F.sign, torch.sgn, [z])
    compare(lambda z: z**3, lambda z: z**3, [z])
    compare(lambda z: F.sum(F.abs(z) ** 2), lambda z: (z.abs() ** 2).sum(), [z])
    x = draw(z.real.dtype, (3, 5), 1)
    compare(F.mul, torch.mul, [x, z])
    compare(F.div, torch.div, [x, z])
    compare(F.power, torch.pow, [z, z])


BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "power": torch.pow,
}  # fmt: skip


@pytest.mark.parametrize("dtype", REAL + COMPLEX)
@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 3)), ((2, 1, 3), (5, 1)), ((), (3,)), ((0, 3), (3,))]
)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, shapes, dtype):
    compare(getattr(F, name), BINARY[name], [draw(dtype, s, i) for i, s in enumerate(shapes)])


@pytest.mark.parametrize("dtype", REAL)
def test_extremes_ties_and_choices(dtype):
    x, y = draw(dtype, (3, 5)), draw(dtype, (3, 5), 1)
    y[:, 2] = x[:, 2]  # a tie shares its gradient in both
    keep = np.arange(15).reshape(3, 5) % 2 == 0
    compare(F.maximum, torch.maximum, [x, y])
    compare(F.minimum, torch.minimum, [x, y])
    compare(lambda x: F.clip(x, 0.5, 1.5), lambda x: torch.clip(x, 0.5, 1.5), [x])
    compare(
        lambda a, b: F.where(keep, a, b), lambda a, b: torch.where(torch.tensor(keep), a, b), [x, y]
    )
    x[1] = 1.0
    compare(lambda x: F.max(x, 1), lambda x: torch.amax(x, 1), [x])
    compare(lambda x: F.min(x, 1), lambda x: torch.amin(x, 1), [x])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 1.7])
def test_powers_at_zero(exponent):
    x = np.array([0.0, 1.5]) + (0 if exponent >= 1 or exponent == 0 else 0.1)
    compare(lambda x: x**exponent, lambda x: x**exponent, [x])
    n = np.array([0.0, 1.0, 2.0])
    compare(F.power, torch.pow, [np.array([0.0, 0.0, 1.5]), n])


REDUCTIONS = {
    "sum": (F.sum, lambda x, axis, keep: torch.sum(x, axis, keepdim=keep)),
    "mean": (F.mean, lambda x, axis, keep: torch.mean(x, axis, keepdim=keep)),
    "var": (F.var, lambda x, axis, keep: torch.var(x, axis, correction=0, keepdim=keep)),
    "std": (F.std, lambda x, axis, keep: torch.std(x, axis, correction=0, keepdim=keep)),
    "norm": (F.norm, lambda x, axis, keep: torch.linalg.vector_norm(x, 2, axis, keepdim=keep)),
    "logsumexp": (F.logsumexp, lambda x, axis, keep: torch.logsumexp(x, axis, keepdim=keep)),
}


@pytest.mark.parametrize("dtype", REAL + COMPLEX)
@pytest.mark.parametrize("axis", [0, -1, (0, 2)])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, axis, keep, dtype):
    if np.dtype(dtype).kind == "c" and name in ("logsumexp", "std"):
        pytest.skip("of real numbers")
    ours, theirs = REDUCTIONS[name]
    compare(
        lambda x: ours(x, axis, keepdims=keep),
        lambda x: theirs(x, axis, keep),
        [draw(dtype, (2, 3, 5))],
    )


@pytest.mark.parametrize("dtype", REAL + COMPLEX)
def test_scans_and_products(dtype):
    x = draw(dtype, (2, 3, 5))
    x[0, 1, 2] = 0
    compare(lambda x: F.cumsum(x, 1), lambda x: torch.cumsum(x, 1), [x])
    compare(lambda x: F.cumprod(x, 2), lambda x: torch.cumprod(x, 2), [x])
    compare(lambda x: F.prod(x, 1), lambda x: torch.prod(x, 1), [x])
    y = draw(dtype, (5, 4), 1)
    compare(F.matmul, torch.matmul, [x, y])
    compare(F.matmul, torch.matmul, [x, y[:, 0]])
    compare(
        lambda a, b: F.einsum("bij,jk->ikb", a, b),
        lambda a, b: torch.einsum("bij,jk->ikb", a, b),
        [x, y],
    )


@pytest.mark.parametrize("dtype", REAL)
def test_indices(dtype):
    x = draw(dtype, (4, 5))
    ids = np.array([3, 0, 3, 3])
    for index in (
        2,
        slice(1, None, 2),
        (slice(None), -1),
        ids,
        (ids, ids),
        (slice(None), ids),
        x > 1,
    ):
        if isinstance(index, tuple):
            their = tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)
        else:
            their = torch.tensor(index) if isinstance(index, np.ndarray) else index
        compare(lambda x, i=index: x[i], lambda x, i=their: x[i], [x])
    table = torch.nn.functional.embedding
    compare(lambda x: F.embedding(x, ids), lambda x: table(torch.tensor(ids), x), [x])
    along = np.array([[0, 1, 2, 3, 0], [1, 1, 1, 1, 1]])
    compare(
        lambda x: F.take_along_axis(x, along, 0),
        lambda x: torch.gather(x, 0, torch.tensor(along)),
        [x],
    )


TYPES = [
    "bool",
    "uint8",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


@pytest.mark.parametrize("left", TYPES)
@pytest.mark.parametrize("right", TYPES)
def test_tensors_meet_in_the_same_dtype(left, right):
    ours = Tensor([1, 1], dtype=left) * Tensor([1, 1], dtype=right)
    theirs = torch.ones(2, dtype=getattr(torch, left)) * torch.ones(2, dtype=getattr(torch, right))
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("number", [2, 2.5, 2j])
def test_a_tensor_meets_a_number_in_the_same_dtype(kind, number):
    if kind == "float16" and number == 2j:
        pytest.skip("PyTorch has complex32, NumPy has not")
    ours, theirs = Tensor([1], dtype=kind), torch.ones(1, dtype=getattr(torch, kind))
    for result, reference in [(ours + number, theirs + number), (number * ours, number * theirs)]:
        assert str(result.dtype) == str(reference.dtype).removeprefix("torch.")


def test_jacobian():
    x = draw(np.float64, (3, 2))
    theirs = torch.autograd.functional.jacobian(lambda x: torch.tanh(x @ x.T), torch.tensor(x))
    ours = jacobian(lambda x: F.tanh(x @ x.T), Tensor(x, dtype=np.float64))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-14)
