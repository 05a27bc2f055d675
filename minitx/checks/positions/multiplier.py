"""Factors after the softmax with which equal tokens give any function of the place."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, same

check_multiplier = Exercise(
    name="positions/multiplier",
    title="Open: make equal tokens say anything",
    call="factors(target)",
    kind="open",
    difficulty=3,
    minutes=25,
    insight="2T - 1 free numbers for T equations: one layer's factors say any function of place.",
)

Rng = np.random.Generator


def outputs_of(factors: np.ndarray) -> np.ndarray:
    """The oracle: T equal tokens of value 1, each heard with 1 / T times a factor."""
    T = (len(factors) + 1) // 2
    out = np.zeros(T)
    for t in range(T):
        for s in range(T):
            out[t] += factors[s - t + T - 1] / T
    return out


def _asked(factors: Callable[..., Any], target: np.ndarray) -> None:
    T = len(target)
    got = expect_array(factors(target), (2 * T - 1,))
    expect(np.isfinite(got).all(), "The factors must be finite numbers.")
    made = outputs_of(got)
    if same(made, target):
        return
    expect(
        not same(outputs_of(got[::-1]), target),
        "The distances run the other way: the first factor belongs to -(T - 1), a key far before "
        "the query (distance = key minus query).",
    )
    expect(
        not same(made * T, target),
        "The outputs are T times too small: each weight is 1 / T before the factor.",
    )
    where = int(np.abs(made - target).argmax())
    expect(
        False,
        f"With T = {T}, place {where} should give {target[where]:.4g} and gives "
        f"{made[where]:.4g}. Which factors does place t add up that place t - 1 does not?",
    )


@check_multiplier.stage("One token")
def one_token(factors: Callable[..., Any], rng: Rng) -> None:
    _asked(factors, np.array([3.0]))


@check_multiplier.stage("The same number everywhere")
def constant(factors: Callable[..., Any], rng: Rng) -> None:
    _asked(factors, np.full(5, 2.0))


@check_multiplier.stage("The place itself, 0, 1, 2, ...", points=2)
def places(factors: Callable[..., Any], rng: Rng) -> None:
    _asked(factors, np.arange(7.0))


@check_multiplier.stage("Any numbers")
def anything(factors: Callable[..., Any], rng: Rng) -> str:
    target = rng.normal(size=33)
    _asked(factors, target)
    got = factors(target)
    if not np.asarray(got)[33:].any():
        return "Yours looks back only: it works under a causal mask, but for the weights 1 / T."
    return "Yours looks both ways: can you do it with the factors of the past alone?"
