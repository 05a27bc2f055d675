"""Attention on three tokens, worked out with a pencil."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import Rng, attend, softmax
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close, same

check_by_hand = Exercise(
    name="attention/by_hand",
    title="Three tokens and a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="A longer query asks more sharply, and a query of zeros hears everybody equally.",
)

LN2 = math.log(2)
HAND = (
    np.array([[1, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]], dtype=float),  # queries
    np.array([[0, 0, 0, 0], [0, 3, 0, 0], [2 * LN2, 0, 0, 0]]),  # keys
    np.array([[12, 0], [0, 24], [12, 0]], dtype=float),  # values
)


def _hand_answer(by_hand: Callable[[], Any]) -> tuple[Any, Any]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return two tables, weights and outputs: `return weights, outputs`.",
    )
    weights, outputs = got
    return (
        expect_array(weights, (3, 3), lists=True, what="the weights"),
        expect_array(outputs, (3, 2), lists=True, what="the outputs"),
    )


@check_by_hand.stage("Each row of weights sums to 1")
def rows_sum_to_one(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, _ = _hand_answer(by_hand)
    q, k, _ = HAND
    mistakes = [
        (np.exp(q @ k.T / 2), "These are the exponentials: divide each by the sum of its row."),
        (q @ k.T / 2, "These are the scores: exponentiate them, then divide by the row's sum."),
        (q @ k.T, "These are the dot products: scale, exponentiate, divide by the row's sum."),
        (
            softmax(q @ k.T / 2, axis=0),
            "Here each column sums to 1. A query shares out its attention over the keys, "
            "and queries are rows: normalise along rows.",
        ),
    ]
    sums = weights.sum(axis=1, keepdims=True)
    for wrong, cause in mistakes:
        expect(not same(weights, wrong), cause)
    expect_close(sums, np.ones((3, 1)), "Some row of the weights does not sum to 1.")


@check_by_hand.stage("The weights are right", points=2)
def weights_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, _ = _hand_answer(by_hand)
    q, k, _ = HAND
    identity = np.eye(3)
    mistakes = [
        (
            attend(q, k, identity, 1.0),
            "The dot products were not divided by √d: d = 4 numbers in a query, so √d = 2.",
        ),
        (
            attend(q, k, identity, 1 / 4),
            "The dot products were divided by d = 4 and not by its root √d = 2.",
        ),
    ]
    want = attend(q, k, identity, 1 / 2)
    rounded = np.abs(weights - want).max() < 0.01 and not same(weights, want)
    expect(not rounded, "Right, but rounded: write the fractions themselves, as in 1/3.")
    expect_close(weights, want, "A weight is off (rows are queries, columns keys).", mistakes)


@check_by_hand.stage("The outputs are the values, mixed by the weights")
def outputs_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, outputs = _hand_answer(by_hand)
    mistakes = [
        (
            weights.T @ HAND[2],
            "The values were mixed with the columns of the weights: output t takes row t.",
        )
    ]
    want = attend(*HAND, 1 / 2)
    expect_close(outputs, want, "The weights are right, an output is not.", mistakes)
