"""The check of gradients must itself be able to fail; and no primitive may go without a case."""

import re
from pathlib import Path

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.graph import replayable, reverse_sweep
from minitx.autograd.primitive import Primitive
from minitx.autograd.spaces import TABLE, TRACED
from minitx.autograd.transforms import grad
from minitx.autograd.tree import flatten
from tests.autograd import (
    test_elementwise,
    test_fused,
    test_indexing,
    test_products,
    test_reductions,
    test_scans,
    test_shape,
)
from tests.autograd.battery import names_in, real
from tests.autograd.calls import CALLS, Maker

TESTS = Path(__file__).parent.parent
PROVED_BY_PRIMITIVE = (
    test_elementwise, test_fused, test_indexing, test_products, test_reductions, test_scans,
    test_shape,
)  # fmt: skip


def reached_by(call) -> set[str]:
    """The primitives that a function uses, forwards and in its derivative."""
    with replayable():
        results = flatten(call(Maker()))[0]
    outputs = [out for out in results if isinstance(out, Tensor) and out.node]
    names = names_in(outputs)
    for out in outputs:
        seed = F.ones_like(out)
        seed.requires_grad = True
        names |= names_in(list(reverse_sweep(TRACED, {out.node: seed}).values()))
    return names


def test_every_differentiable_primitive_has_a_case(broadcasting):
    """In the CASES of a battery; given to ``prove``; or named, or used by what is named, here."""
    proved = {"gate"}.union(*(module.CASES for module in PROVED_BY_PRIMITIVE))
    words: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        proved |= set(re.findall(r'\bprove\(\s*"(\w+)"', text))
        here = file.parent == Path(__file__).parent and file != Path(__file__)
        if here and re.search(r"\b(check_grads|prove)\(", text):
            words |= set(re.findall(r"\w+", text))
    proved |= {word.removesuffix("_") for word in words if word.endswith("_")}  # rules as such
    for name in words & set(CALLS):
        proved |= reached_by(CALLS[name])
    missing = sorted(name for name, op in TABLE.items() if op.differentiable and name not in proved)
    assert not missing, f"nothing checks the gradients of {missing}"


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
    moved = wrong(
        lambda F, g, y, x: F.roll(g, shift=(-1,), axis=(0,)),
        lambda xp, x: xp.roll(x, 1),
        kind="elementwise",  # it is not: the transpose of moving on is moving back
    )
    check_grads(moved, real(3), modes=("rev",), order=1)
    with pytest.raises(AssertionError, match="jvp of order 1"):
        check_grads(moved, real(3), modes=("fwd",), order=1)


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
