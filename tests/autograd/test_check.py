"""The check of gradients must itself be able to fail; and no primitive may go without a case."""

import re
from pathlib import Path

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.primitive import TABLE, Primitive
from minitx.autograd.transforms import grad
from tests.autograd import (
    test_elementwise,
    test_indexing,
    test_products,
    test_reductions,
    test_scans,
    test_shape,
)
from tests.autograd.battery import real

HERE = Path(__file__).parent
MINE = (
    test_elementwise, test_indexing, test_products, test_reductions, test_scans, test_shape,
)  # fmt: skip
STRUCTURE = {"gate"}  # made by the transforms themselves; every other test runs through it


def test_every_differentiable_primitive_has_a_case():
    """In the batteries' CASES, or by name in a file that checks gradients."""
    cases = set(STRUCTURE).union(*(module.CASES for module in MINE))
    for file in HERE.glob("test_*.py"):
        text = file.read_text()
        if file != Path(__file__) and "check_grads" in text and "CASES" not in text:
            cases |= set(re.findall(r"\w+", text))
    differentiable = {name for name, op in TABLE.items() if op.differentiable}
    assert not differentiable - cases, "these primitives are proved nowhere"


def wrong(rule, forward=lambda xp, x: x * x, **options):
    return Primitive("wrong", forward, rule, **options)


MISTAKES = {
    "a factor": wrong(lambda F, g, y, x: g * x),
    "a sign": wrong(lambda F, g, y, x: -2 * g * x),
    "a detached argument": wrong(lambda F, g, y, x: g * 2 * getattr(x, "data", x)),
    "an entry": wrong(lambda F, g, y, x: g * 2 * F.where(np.arange(3) != 1, x, 0)),
    "an axis": wrong(lambda F, g, y, x: F.flip(g, axis=(0,)), lambda xp, x: x * 1.0),
    "a kind": wrong(lambda F, g, y, x: 2 * g * F.flip(x, axis=(0,)),
                    lambda xp, x: x * x[::-1], kind="elementwise"),
    "a missing part": wrong(lambda F, g, y, x: g * F.exp(x), lambda xp, x: x * np.exp(x)),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(name):
    with pytest.raises(AssertionError, match=r"of order 1|of order 2|meets one of"):
        check_grads(MISTAKES[name], real(3) + 0.1)


def test_a_mistake_of_the_second_order_alone_is_found():
    right_once = MISTAKES["a detached argument"]
    x = real(3)
    check_grads(right_once, x, order=1)
    with pytest.raises(AssertionError, match="of order 2"):
        check_grads(right_once, x, order=2)


def test_a_missing_conjugate_is_found():
    square = wrong(lambda F, g, y, x: g * 2 * x)
    check_grads(square, real(3))
    with pytest.raises(AssertionError):
        check_grads(square, real(3) * (1 + 2j))


def test_a_mode_that_is_not_asked_for_is_not_checked():
    flat = wrong(lambda F, g, y, x: F.flip(g, axis=(0,)), lambda xp, x: xp.flip(x), kind="elementwise")
    check_grads(flat, real(3), modes=("rev",), order=1)
    with pytest.raises(AssertionError, match="jvp of order 1"):
        check_grads(flat, real(3), modes=("fwd",), order=1)


def test_a_nan_is_found():
    with pytest.raises(AssertionError), np.errstate(invalid="ignore"):
        check_grads(F.log, Tensor([-1.0, 2.0], dtype=np.float64))


def test_trees_and_several_results():
    tree = {"a": real(2, 3), "b": [real(3, seed=1)]}
    worst = check_grads(lambda t: {"y": t["a"] @ t["b"][0], "z": (F.sin(t["a"]),)}, tree)
    assert 0 <= worst < 1e-6


def test_float32_is_refused():
    with pytest.raises(TypeError, match="float64 or complex128 Tensors, got float32"):
        check_grads(F.exp, Tensor([1.0]))


def test_the_generator_decides_the_directions():
    x = real(5)
    first, again = (check_grads(F.tanh, x, rng=np.random.default_rng(7)) for _ in range(2))
    assert first == again


def test_straight_through_is_known_to_differ_from_its_value():
    with pytest.raises(AssertionError):
        check_grads(lambda x: F.straight_through(F.sign(x), x), real(3), order=1)
    assert grad(lambda x: F.sum(F.straight_through(F.sign(x), x)))(real(3)).tolist() == [1, 1, 1]
