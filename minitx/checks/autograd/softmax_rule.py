"""The backward rule of softmax, without its Jacobian."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close

Rng = np.random.Generator

check_softmax_rule = Exercise(
    name="autograd/softmax_rule",
    title="A fused rule: softmax backwards",
    call="softmax_rule(g, y)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="V² derivatives, and a rule of 3 V multiplications: nobody needs a Jacobian.",
)


def _softmax(rng: Rng, *shape: int) -> np.ndarray:
    parts = np.exp(rng.normal(size=shape))
    return parts / parts.sum(axis=-1, keepdims=True)


def _loop(g: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Entry by entry of the Jacobian, for one row."""
    found = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(y)):
            found[i] += g[j] * y[j] * ((i == j) - y[i])
    return found


@check_softmax_rule.stage("A wish to raise all outputs alike has no effect: they sum to 1")
def constant(rule: Callable[..., Any], rng: Rng) -> None:
    y, g = _softmax(rng, 5), np.full(5, 2.0)
    mistakes = [
        (g * y, "Each output depends on every score, through the sum: the second term is missing."),
        (
            g * y * (1 - y),
            "That is the diagonal alone: raising one score lowers all other outputs.",
        ),
        (g, "The cotangent comes back as it went in."),
        (y * (g - g.sum()), "The sum to subtract is that of g y, not of g."),
    ]
    expect_close(rule(g, y), np.zeros(5), "A constant g should give zeros.", mistakes)


@check_softmax_rule.stage("One row, against a loop over the Jacobian", points=2)
def one_row(rule: Callable[..., Any], rng: Rng) -> None:
    y, g = _softmax(rng, 5), rng.normal(size=5)
    mistakes = [
        (y * (g - g.mean()), "The mean to subtract is weighted by y: it is the sum of g y."),
        (g - g @ y, "The factor y in front is missing."),
        (-_loop(g, y), "The sign: the g of an output itself counts positively."),
        (np.zeros(5), "Zeros are right for a constant g only."),
    ]
    expect_close(rule(g, y), _loop(g, y), "It differs from the loop.", mistakes)


@check_softmax_rule.stage(
    "Many rows, each with a sum of its own",
    hint="Here g and y are (2, 3, 5): `sum(axis=-1, keepdims=True)` keeps the axis.",
)
def rows(rule: Callable[..., Any], rng: Rng) -> None:
    y, g = _softmax(rng, 2, 3, 5), rng.normal(size=(2, 3, 5))
    got = expect_array(rule(g, y), (2, 3, 5))
    mistakes = [(y * (g - (g * y).sum()), "All rows share one sum: use axis=-1, keepdims=True.")]
    pairs = zip(g.reshape(6, 5), y.reshape(6, 5))
    want = np.stack([_loop(*pair) for pair in pairs]).reshape(2, 3, 5)
    expect_close(got, want, "It differs from the loop for 2 x 3 rows.", mistakes)


@check_softmax_rule.stage(
    "128 rows of 4,000 scores", hint="No array needs more entries than y has: build no Jacobian."
)
def large(rule: Callable[..., Any], rng: Rng) -> None:
    y, g = _softmax(rng, 128, 4000), rng.normal(size=(128, 4000))
    want = np.stack([a * (b - a @ b) for a, b in zip(y, g)])
    expect_close(1000 * rule(g, y), 1000 * want, "It differs for long rows.")
