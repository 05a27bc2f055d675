"""A variance in float32 that keeps its digits."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

Rng = np.random.Generator

check_variance = Exercise(
    name="arrays/variance",
    title="A variance that keeps its digits",
    call="variance(x)",
    kind="implement",
    difficulty=2,
    minutes=15,
    insight="Subtract first, square afterwards: small differences of large squares have no digits.",
)


def _error(variance: Callable[..., Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """What came back, what is right, and the largest relative error."""
    got = expect_array(variance(x), x.shape[:-1])
    want = np.var(x.astype(np.float64), axis=-1)
    with np.errstate(all="ignore"):
        return got, want, float(np.max(np.abs(got - want) / want, initial=0.0))


@check_variance.stage("Four numbers")
def four_numbers(variance: Callable[..., Any], rng: Rng) -> None:
    x = np.array([1, 3, 3, 9], np.float32)
    got, _, error = _error(variance, x)
    expect(abs(got - 12) > 1e-3, "That divides by one number less: divide by their number here.")
    expect(abs(got - 3) > 1e-3, "That is the standard deviation: the variance is its square.")
    expect(abs(got - 36) > 1e-3, "That is the sum of the squares: the variance is their mean.")
    expect(
        error < 1e-5, f"The variance of 1, 3, 3, 9 is 9, the mean of 9, 1, 1, 25; got {got:.6g}."
    )


@check_variance.stage(
    "Rows of numbers", hint="Here x is (2, 3, 50): keepdims=True lets the means meet their rows."
)
def rows(variance: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=(2, 3, 50)).astype(np.float32)
    _, _, error = _error(variance, x)
    expect(error < 1e-4, "Each row along the last axis should have a variance of its own.")


@check_variance.stage("A thousand numbers around 10,000", points=2)
def far_away(variance: Callable[..., Any], rng: Rng) -> None:
    x = (1e4 + rng.normal(size=(4, 1000))).astype(np.float32)
    got, want, error = _error(variance, x)
    expect(
        error < 1e-3,
        f"Around 10,000 it is {got[0]:.4g} where {want[0]:.4g} is right. Squares of 10^8 have no "
        "digits left for a variance of 1: subtract the mean before you square.",
    )


@check_variance.stage("float32 in, float32 out")
def keeps_its_type(variance: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=(3, 20)).astype(np.float32)
    got, _, _ = _error(variance, x)
    expect(
        got.dtype == np.float32,
        f"The result is {got.dtype}: float64 in one place makes all that follows twice as large.",
    )
