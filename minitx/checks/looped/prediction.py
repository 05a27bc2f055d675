"""How many passes descent and Newton need at a condition number of 100."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

check_prediction = Exercise(
    name="looped/prediction",
    title="Predict, then run: how many passes?",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Ten times the condition number costs descent ten times the passes, and Newton three "
    "more.",
)

Rng = np.random.Generator
CONDITION, TARGET = 100, 1e-3


def measured(condition: float = CONDITION, target: float = TARGET) -> tuple[int, int]:
    """Passes of descent and of Newton until the error is at most ``target``, by running both."""
    s = np.array([1.0, 1 / condition])
    found = []
    for step in (lambda m: m + (1 - m * s), lambda m: 2 * m - m * s * m):
        m, passes = np.ones(2), 0
        while np.abs(1 - m * s).max() > target:
            m, passes = step(m), passes + 1
        found.append(passes)
    return found[0], found[1]


def _said(prediction: Callable[[], Any]) -> tuple[float, float]:
    got = prediction()
    numbers = isinstance(got, tuple | list) and all(
        isinstance(each, int | float | np.number) for each in got
    )
    expect(
        numbers and len(got) == 2,
        f"Your function should return two numbers, and returned {describe(got)}.",
    )
    return float(got[0]), float(got[1])


@check_prediction.stage("Two numbers")
def two(prediction: Callable[[], Any], rng: Rng) -> None:
    descent, newton = _said(prediction)
    expect(descent >= 1 and newton >= 1, "Each needs a pass at least.")
    expect(descent > newton, "Descent comes first, and it is the slower one.")


@check_prediction.stage("Descent")
def descent(prediction: Callable[[], Any], rng: Rng) -> None:
    said, want = _said(prediction)[0], measured()[0]
    expect(
        abs(said - 300) > 10,
        f"You said {said:g}, as if a power of ten took 100 passes; it is a factor e that takes "
        f"them, and ln 1000 is 6.9. Measured: {want}.",
    )
    expect(
        abs(said / want - 1) <= 0.15,
        f"You said {said:g} for descent; measured: {want}. A pass leaves 0.99 of the slowest "
        "direction: when is 0.99^t = 0.001?",
    )


@check_prediction.stage("Newton", points=2)
def newton(prediction: Callable[[], Any], rng: Rng) -> None:
    said, want = _said(prediction)[1], measured()[1]
    expect(
        said != 4,
        "Four passes would do if the error began at 1/2; it begins at 0.99, and squaring that "
        f"leaves 0.98. Measured: {want}.",
    )
    expect(
        abs(said - want) <= 1,
        f"You said {said:g} for Newton; measured: {want}. After t passes it is where descent is "
        "after 2^t.",
    )
