"""From scores to probabilities, timid or bold."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close, same

Rng = np.random.Generator

check_temperature = Exercise(
    name="start/temperature",
    title="Temperature",
    call="temperature_probabilities(scores, temperature)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="A temperature T raises each probability to the power 1/T: below 1 it makes bold.",
)


def _at(scores: np.ndarray, temperature: float) -> np.ndarray:
    top = max(scores)
    parts = [math.exp((score - top) / temperature) for score in scores]
    return np.array([part / sum(parts) for part in parts])


@check_temperature.stage("Two equal scores share equally, and the whole is 1")
def sums_to_one(temper: Callable[..., Any], rng: Rng) -> None:
    got = temper(np.array([1.5, 1.5]), 1.0)
    mistakes = [(np.exp([1.5, 1.5]), "These are the exponentials: divide them by their sum.")]
    expect_close(got, [0.5, 0.5], "Two equal scores should get 0.5 each.", mistakes)


@check_temperature.stage("Scores are divided by the temperature", points=2)
def divides(temper: Callable[..., Any], rng: Rng) -> None:
    scores = rng.normal(size=5)
    got = temper(scores, 0.5)
    mistakes = [
        (_at(scores, 1.0), "The temperature has no effect."),
        (_at(scores, 2.0), "The scores are multiplied by the temperature: divide by it."),
        (_at(scores, 1.0) / 0.5, "The probabilities are divided: divide the scores before exp."),
        (
            np.exp(scores / 0.5) / np.exp(scores).sum(),
            "Above the line there is the temperature, below it is forgotten: they do not sum to 1.",
        ),
    ]
    expect_close(got, _at(scores, 0.5), "Not exp(score / T) over its sum.", mistakes)


@check_temperature.stage("Cold takes the best, heat makes all alike")
def limits(temper: Callable[..., Any], rng: Rng) -> None:
    scores = np.array([0.3, 2.0, -1.0, 1.0])
    cold = temper(scores, 0.05)
    expect_close(cold, _at(scores, 0.05), "At T = 0.05 nearly all goes to the best score.")
    expect_close(temper(scores, 1e9), np.full(4, 0.25), "At T = 1e9 all four should be alike.")


@check_temperature.stage(
    "Large scores, and scores for several texts at once",
    hint="Each row has its own sum: x.sum(axis=-1, keepdims=True) keeps the axis for the division.",
)
def robust(temper: Callable[..., Any], rng: Rng) -> None:
    scores = 300 * rng.normal(size=5)
    want = _at(scores, 0.1)
    with np.errstate(all="ignore"):
        message = (
            "Scores of thousands break it: subtract the largest before exp; nothing else changes."
        )
        expect_close(temper(scores, 0.1), want, message)
    rows = rng.normal(size=(3, 5))
    got = expect_array(temper(rows, 0.7), (3, 5))
    all_in_one = _at(rows.reshape(-1), 0.7).reshape(3, 5)
    expect(not same(got, all_in_one), "All rows share one sum: use axis=-1 and keepdims=True.")
    want = np.stack([_at(row, 0.7) for row in rows])
    expect_close(got, want, "Three rows of scores should give three rows, each with the sum 1.")
