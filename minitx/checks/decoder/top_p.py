"""The likeliest tokens, as many as it takes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_top_p = Exercise(
    name="decoder/top_p",
    title="Top-p",
    call="top_p(p, reach)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Top-p keeps few tokens where the model is sure and many where it is not.",
)


def keep(p: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` likeliest of p, normalised."""
    best = sorted(range(len(p)), key=lambda i: -p[i])[:count]
    total = sum(p[i] for i in best)
    return np.array([p[i] / total if i in best else 0.0 for i in range(len(p))])


def nucleus(p: np.ndarray, reach: float) -> np.ndarray:
    """Add the likeliest tokens, one by one, until they reach."""
    total, count = 0.0, 0
    for chance in sorted(p, reverse=True):
        if total >= reach:
            break
        total, count = total + chance, count + 1
    return keep(p, count)


@check_top_p.stage("Two tokens are needed to reach 0.7")
def two_needed(top_p: Callable[..., Any], rng: Rng) -> None:
    p = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16])
    got = expect_array(top_p(p, 0.7), (5,))
    mistakes = [
        (
            keep(p, 1),
            "The token that crosses 0.7 was dropped: the first alone reaches only 0.5. Keep the "
            "one with which the sum arrives there.",
        ),
        (np.where(np.arange(5) < 2, p, 0), "The chances that are left sum to 0.75: divide by it."),
        (p, "Nothing was dropped: the first two reach 0.75 already."),
        (keep(p, 3), "One token too many: the first two reach 0.75 already."),
    ]
    expect_close(got, nucleus(p, 0.7), "Half and a quarter reach 0.7.", mistakes)


@check_top_p.stage("A sum that is met exactly is reached")
def exactly(top_p: Callable[..., Any], rng: Rng) -> None:
    p = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16])
    mistakes = [
        (keep(p, 3), "The first two make exactly 0.75, which reaches it: the third is too many.")
    ]
    got = expect_array(top_p(p, 0.75), (5,))
    expect_close(got, keep(p, 2), "The first two reach 0.75.", mistakes)
    expect_close(top_p(p, 0.5), keep(p, 1), "The first alone reaches 0.5.")


@check_top_p.stage("Tokens in any order", points=2)
def any_order(top_p: Callable[..., Any], rng: Rng) -> None:
    p = rng.permutation(np.array([0.31, 0.23, 0.17, 0.13, 0.11, 0.05]))
    while p.argmax() == 0 or p[0] > p[1]:
        p = rng.permutation(p)
    want = nucleus(p, 0.6)
    first = np.cumsum(p) - p < 0.6
    mistakes = [
        (
            np.where(first, p, 0) / p[first].sum(),
            "The sum was taken in the order of the tokens: take the likeliest first.",
        ),
        (
            -np.sort(-want),
            "The right chances, at the wrong tokens: put each back where its token stands "
            "(kept[order[:n]] = ...).",
        ),
    ]
    got = expect_array(top_p(p, 0.6), (6,))
    expect_close(got, want, f"With p = {p.round(2)} and 0.6:", mistakes)


@check_top_p.stage("All, and only one")
def ends(top_p: Callable[..., Any], rng: Rng) -> None:
    tenths = np.full(10, 0.1)  # their running sum ends at 0.9999999999999999
    got = expect_array(top_p(tenths, 1.0), (10,))
    expect(
        np.allclose(got, tenths),
        "With reach 1 every token stays. Ten times 0.1, added up, is a little below 1: what does "
        "your code do if the sum never arrives?",
    )
    p = rng.permutation(np.array([0.4, 0.35, 0.25]))
    expect_close(top_p(p, 1e-9), keep(p, 1), "However small reach is, the likeliest stays.")
