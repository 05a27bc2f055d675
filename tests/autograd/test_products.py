"""Matrix products and einsum: every shape that NumPy multiplies, derivatives, what does not fit."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, prove, real

MATMULS = [
    ((2, 3), (3, 5)), ((7, 2, 3), (7, 3, 5)), ((7, 2, 3), (3, 5)), ((2, 3), (7, 3, 5)),
    ((4, 1, 2, 3), (7, 3, 5)), ((1, 2, 3), (7, 3, 5)), ((3,), (3,)), ((2, 3), (3,)),
    ((3,), (3, 5)), ((7, 2, 3), (3,)), ((3,), (7, 3, 5)), ((2, 0), (0, 5)), ((0, 3), (3, 5)),
    ((1, 1), (1, 1)), ((7, 0, 3), (3, 5)),
]  # fmt: skip
EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 5)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 7, 5)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij,k->i", (2, 3), (5,)),
    ("ij,jk,kl->il", (2, 3), (3, 5), (5, 4)),
    ("ab,ab,ab->a", (2, 3), (2, 3), (2, 3)),
    ("ij,jk->ki", (0, 3), (3, 5)),
    ("b i d, b j d -> b i j", (2, 3, 5), (2, 4, 5)),
    (",i->i", (), (3,)),
]
CASES = {"matmul", "einsum"}


@pytest.mark.parametrize(("left", "right"), MATMULS)
def test_matmul(left, right):
    for a, b in [
        (real(*left), real(*right, seed=1)),
        (cplx(*left), cplx(*right, seed=1)),
        (real(*left), cplx(*right)),
    ]:
        prove("matmul", F.matmul, a, b)
        np.testing.assert_allclose((a @ b).numpy(), a.numpy() @ b.numpy(), rtol=1e-12)


def test_matmul_with_a_constant_and_with_itself():
    a, b = real(2, 3), real(3, 5)
    check_grads(lambda a: a @ b.numpy(), a)
    check_grads(lambda b: a.numpy() @ b, b)
    check_grads(lambda x: x @ x, real(3, 3))


@pytest.mark.parametrize("case", EINSUMS)
def test_einsum(case):
    subscripts, *shapes = case
    for draw in (real, cplx):
        operands = [draw(*shape, seed=i) for i, shape in enumerate(shapes)]
        prove("einsum", lambda *xs: F.einsum(subscripts, *xs), *operands)
        expected = np.einsum(subscripts, *(x.numpy() for x in operands))
        np.testing.assert_allclose(F.einsum(subscripts, *operands).numpy(), expected, rtol=1e-12)


def test_einsum_with_one_tensor_twice():
    check_grads(lambda x: F.einsum("ij,ik->jk", x, x), real(2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.matmul(real(2, 3), real(2, 5)), r"got \(2, 3\) and \(2, 5\)"),
        (lambda: F.matmul(real(3), real(2)), r"got \(3,\) and \(2,\)"),
        (lambda: F.matmul(Tensor(1.0), real(2)), "at least one axis"),
        (lambda: F.einsum("ij,jk", real(2, 3), real(3, 5)), "letters and '->'"),
        (lambda: F.einsum("...i->...", real(2, 3)), "letters and '->'"),
        (lambda: F.einsum("ij->i", real(2)), r"does not fit operands of shapes \(2,\)"),
        (lambda: F.einsum("ii->i", real(3, 3)), "different letters"),
        (lambda: F.einsum("ij,jk->ik", real(2, 1), real(3, 4)), "one length for 'j', got 1 and 3"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
