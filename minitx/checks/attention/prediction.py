"""What becomes of the weights as the width grows, under three scales: guess, then measure."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import Rng, softmax
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="attention/prediction",
    title="Predict, then run: what the scale is for",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="q·k has variance d: divided by √d, the scores keep variance 1 at any width.",
)

RULES = ("1", "sqrt(d)", "d")
WORDS = ("one", "some", "all")


def keys_heard(q: np.ndarray, k: np.ndarray, divisor: float) -> float:
    """Over how many of the keys a query spreads its weight, 2 to the entropy in bits; the mean."""
    weights = softmax(q @ k.T / divisor)
    bits = -np.sum(weights * np.log2(np.maximum(weights, 1e-300)), axis=-1)
    return float(np.mean(2.0**bits))


def _measured(rng: Rng, keys: int = 32, d: int = 4096, queries: int = 200) -> list[float]:
    q, k = rng.normal(size=(queries, d)), rng.normal(size=(keys, d))
    return [keys_heard(q, k, divisor) for divisor in (1, math.sqrt(d), d)]


@check_prediction.stage("Three words, one for each rule")
def three_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 3, WORDS, "for the divisors 1, √d and d in this order")


def _asks_rule(index: int, why: str) -> None:
    """Adds the question about one rule."""

    @check_prediction.stage(f"The scores divided by {RULES[index]}")
    def rule(prediction: Callable[[], Any], rng: Rng) -> None:
        heard = _measured(rng)[index]
        word = "one" if heard < 2 else "all" if heard > 0.95 * 32 else "some"
        said = prediction()[index]
        expect(
            said == word,
            f"You said {said!r}. Measured with d = 4096: a query spreads over {heard:.1f} of 32 "
            f"keys. {why}",
        )


_asks_rule(0, "What is the variance of a sum of d products of independent unit normal numbers?")
_asks_rule(1, "Which variance has q·k once it is divided by √d, and does it depend on d?")
_asks_rule(2, "Where do the scores go when q·k, of size √d, is divided by d?")
