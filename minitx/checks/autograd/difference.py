"""The best step of a second difference: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

Rng = np.random.Generator

check_difference = Exercise(
    name="autograd/difference",
    title="Predict, then run: the best step of a second difference",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Half of the digits are lost for good: so second order is checked by differences of "
    "gradients, not by differences of differences.",
)

POWERS = tuple(range(-15, 0))


def errors(rng: Rng, points: int = 400) -> dict[int, float]:
    """{power of ten of the step: the median error of the second difference of sin}."""
    x, found = rng.uniform(0.5, 1.5, points), {}
    for power in POWERS:
        h = 10.0**power
        second = (np.sin(x + h) - 2 * np.sin(x) + np.sin(x - h)) / h**2
        found[power] = float(np.median(np.abs(second + np.sin(x))))
    return found


def _numbers(prediction: Callable[[], Any]) -> tuple[int, int]:
    got = prediction()
    whole = isinstance(got, tuple | list) and all(type(n) is int for n in got)
    expect(
        whole and len(got) == 2,
        "Your function should return two whole numbers, the powers of ten of the best step and of "
        f"the error, as in `return -3, -6`; it returned {got if whole else describe(got)}.",
    )
    return tuple(got)


@check_difference.stage("Two whole numbers")
def two_numbers(prediction: Callable[[], Any], rng: Rng) -> None:
    step, error = _numbers(prediction)
    expect(
        step < 0 and error < 0,
        "Both powers are negative: steps and errors are far below 1, and 10^-3 is written -3.",
    )


@check_difference.stage("The best step", points=2)
def best_step(prediction: Callable[[], Any], rng: Rng) -> None:
    step, _ = _numbers(prediction)
    measured = errors(rng)
    best = min(measured, key=measured.get)
    if step in measured and measured[step] <= 5 * measured[best]:
        return
    why = (
        "so small a step leaves only rounding: its error, about 1e-16, is divided by h²"
        if step < best
        else "so large a step leaves the term of order h² of Taylor's series"
    )
    error = measured.get(step)
    said = "that is off the chart" if error is None else f"the error is {error:.0e}"
    expect(False, f"You said 10^{step}. Measured, {said}, and other steps do better: {why}.")


@check_difference.stage("The error that is left")
def error_left(prediction: Callable[[], Any], rng: Rng) -> None:
    _, error = _numbers(prediction)
    least = np.log10(min(errors(rng).values()))
    more = "more" if least > error else "less"
    expect(
        abs(error - least) <= 1,
        f"You said an error of 10^{error}. Measured, {more} than that is left: put your step into "
        "h² and into 1e-16 / h².",
    )
