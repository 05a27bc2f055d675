"""Queries and keys of one's own making, with which every token finds the one before it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import Rng, softmax
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

check_previous_token = Exercise(
    name="attention/previous_token",
    title="Open: a head that looks one step back",
    call="previous_token(T)",
    kind="open",
    difficulty=3,
    minutes=30,
    insight="Attention has no idea of order; this head has one only because q and k carry it.",
)


def _steps_back(previous: Callable[..., Any], T: int) -> int:
    """Fails unless query t finds key t - 1; returns the width that was used."""
    got = previous(T)
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return two arrays, (T, d) each: `return q, k`.",
    )
    q, k = (expect_array(x, what=f"{name} of previous_token") for name, x in zip("qk", got))
    expect(
        q.ndim == 2 and q.shape == k.shape and len(q) == T,
        f"q and k should both have the shape ({T}, d), and have {q.shape} and {k.shape}.",
    )
    expect(np.isfinite(q).all() and np.isfinite(k).all(), "q and k must be finite numbers.")
    weights = softmax(q @ k.T / math.sqrt(q.shape[1]))
    found, t = weights.argmax(axis=1)[1:], np.arange(1, T)
    expect(not (found == t).all(), "Every token finds itself: query t must look like key t - 1.")
    if T > 2:
        after = found[:-1] == t[:-1] + 1
        expect(not after.all(), "Every token finds the next one: are q and k the wrong way round?")
        expect(
            (found == t - 1).all(),
            f"With T = {T}, a query finds a key that is not the one before it. Do two positions "
            "look alike?",
        )
    weakest = weights[t, t - 1].min()
    expect(
        weakest >= 0.99,
        f"With T = {T} they look the right way, but some weight on key t - 1 is {weakest:.3f} "
        "and 0.99 was asked for: make queries or keys longer (what does the √d do to them?).",
    )
    return q.shape[1]


@check_previous_token.stage("Two tokens")
def two_tokens(previous: Callable[..., Any], rng: Rng) -> None:
    _steps_back(previous, 2)


@check_previous_token.stage("Seven tokens", points=2)
def seven_tokens(previous: Callable[..., Any], rng: Rng) -> None:
    _steps_back(previous, 7)


@check_previous_token.stage("Ninety-seven tokens")
def many_tokens(previous: Callable[..., Any], rng: Rng) -> str:
    d = _steps_back(previous, 97)
    if d <= 2:
        return "d = 2 is enough for any T: there is room for all on a circle. Keep that picture."
    return f"For 97 tokens you used d = {d}. Can you do it with d = 2?"
