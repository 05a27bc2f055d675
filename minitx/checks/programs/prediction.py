"""How large a lead the right address needs: names against binary codes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

check_prediction = Exercise(
    name="programs/prediction",
    title="Predict, then run: half of the attention",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Names must outshout all of n, codes their log n neighbours: for a million columns the "
    "leads would be 13.8 and 3.3.",
)

Rng = np.random.Generator
COLUMNS, BITS, NEAR = 1024, 10, 0.2


def half(codes: np.ndarray) -> float:
    """The lead at which codes[0] gets half of its attention, by bisection."""
    scores = codes @ codes[0]
    gaps = (scores.max() - scores) / (scores.max() - np.sort(scores)[-2])
    low, high = 0.0, 20.0
    while high - low > 1e-6:
        lead = (low + high) / 2
        low, high = (lead, high) if 1 / np.exp(-lead * gaps).sum() < 0.5 else (low, lead)
    return lead


def measured() -> tuple[float, float]:
    """The two leads that are asked for."""
    numbers = np.arange(COLUMNS)
    return half(np.eye(COLUMNS)), half(2.0 * (numbers[:, None] >> np.arange(BITS) & 1) - 1)


def _said(prediction: Callable[[], Any]) -> tuple[float, float]:
    got = prediction()
    real = isinstance(got, tuple | list) and all(
        isinstance(number, int | float | np.number) for number in got
    )
    expect(
        real and len(got) == 2,
        f"Your function should return two numbers, and returned {describe(got)}.",
    )
    return float(got[0]), float(got[1])


@check_prediction.stage("Two numbers")
def two_numbers(prediction: Callable[[], Any], rng: Rng) -> None:
    names, codes = _said(prediction)
    expect(names > 0 and codes > 0, "A lead that helps is above 0; these are not.")


@check_prediction.stage("Names")
def names(prediction: Callable[[], Any], rng: Rng) -> None:
    said, want = _said(prediction)[0], measured()[0]
    expect(
        abs(said - np.log2(COLUMNS)) > NEAR,
        f"{said:g} is the logarithm to base 2; e is the base of the softmax.",
    )
    expect(
        abs(said - want) <= NEAR,
        f"You said {said:g} for names; measured: {want:.2f}. One column has e^lambda, all others "
        "together 1023: when are these equal?",
    )


@check_prediction.stage("Binary codes", points=2)
def codes(prediction: Callable[[], Any], rng: Rng) -> None:
    (known, want), said = measured(), _said(prediction)[1]
    expect(
        abs(said - known) > NEAR,
        f"You said {said:g} for codes as well. Most codes are far away: at five bits' distance "
        "they have a factor of e^(-5 lambda) each.",
    )
    expect(
        min(abs(said - np.log(BITS)), abs(said - np.log(2 * BITS))) > NEAR / 2,
        f"You said {said:g}: that counts the ten neighbours alone; measured: {want:.2f}. At this "
        "lead columns at two bits' distance count too: take (1 + e^-lambda)^10 as it is.",
    )
    expect(
        abs(said - want) <= NEAR,
        f"You said {said:g} for codes; measured: {want:.2f}. When is (1 + e^-lambda)^10 = 2?",
    )
