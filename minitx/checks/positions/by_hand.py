"""ALiBi on three tokens, worked out with a pencil: what a token says against where it is."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close, same

check_by_hand = Exercise(
    name="positions/by_hand",
    title="Content against distance, with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="A slope is an exchange rate: here two steps away cost as much as a factor of nine.",
)

Rng = np.random.Generator
CONTENT = np.log([9.0, 1.0, 1.0])  # what every query thinks of the three keys
SLOPE = math.log(3)
VALUES = np.array([28.0, 0.0, 56.0])


def weights_of(slope: float, causal: bool = True) -> np.ndarray:
    """The weights (3, 3) of the pencil's tokens for a slope."""
    place = np.arange(3)
    parts = np.exp(CONTENT - slope * np.abs(place[:, None] - place))
    parts = np.tril(parts) if causal else parts
    return parts / parts.sum(axis=1, keepdims=True)


def _answer(by_hand: Callable[[], Any]) -> tuple[np.ndarray, np.ndarray]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return weights and outputs: `return weights, outputs`.",
    )
    weights, outputs = got
    return (
        expect_array(weights, (3, 3), lists=True, what="the weights"),
        expect_array(outputs, (3,), lists=True, what="the outputs"),
    )


@check_by_hand.stage("Nobody hears the future, and each row of weights sums to 1")
def rows(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, _ = _answer(by_hand)
    without = "The mask is missing: token 0 hears only itself, token 1 hears 0 and 1."
    expect(not same(weights, weights_of(SLOPE, causal=False)), without)
    expect(
        not np.triu(weights, 1).any(),
        "Rows are queries and columns are keys: a key after the query has the weight 0.",
    )
    expect_close(weights.sum(axis=1), np.ones(3), "Some row of the weights does not sum to 1.")


@check_by_hand.stage("The weights are right", points=2)
def weights_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, _ = _answer(by_hand)
    mistakes = [
        (weights_of(0), "These are the weights without ALiBi: take ln 3 off for each step away."),
        (
            weights_of(-SLOPE),
            "The sign of ALiBi: distance makes a score smaller, ln 3 for each step.",
        ),
        (
            weights_of(2 * SLOPE),
            "The slope counted twice: a step costs ln 3, which is a factor of 3, not 9.",
        ),
    ]
    want = weights_of(SLOPE)
    rounded = np.abs(weights - want).max() < 0.01 and not same(weights, want)
    expect(not rounded, "Right, but rounded: write the fractions themselves, as in 1 / 7.")
    expect_close(weights, want, "A weight is off (rows are queries, columns keys).", mistakes)


@check_by_hand.stage("The outputs are the values, mixed by the weights")
def outputs_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    weights, outputs = _answer(by_hand)
    mistakes = [
        (weights.T @ VALUES, "The values were mixed with the columns: output t takes row t.")
    ]
    want = weights_of(SLOPE) @ VALUES
    expect_close(outputs, want, "The weights are right, an output is not.", mistakes)
