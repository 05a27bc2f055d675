"""How loudly the other pairs are heard when one is looked up in a sum: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices
from minitx.checks.linear.oracle import Rng

check_prediction = Exercise(
    name="linear/prediction",
    title="Predict, then run: what a sum mixes up",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="About n/m of noise beside a signal of 1: keep fewer pairs than your keys are wide.",
)

WORDS = ("doubles", "stays", "halves")
CHANGES = ("twice as many pairs", "keys twice as wide", "values twice as wide")


def noise(n: int, m: int, e: int, rng: Rng) -> float:
    """The mean of |S^T k_i - v_i|^2 when S holds n pairs of random unit keys and values."""
    k, v = rng.normal(size=(n, m)), rng.normal(size=(n, e))
    k, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (k, v))
    return float(np.mean(((k @ (k.T @ v) - v) ** 2).sum(1)))


@check_prediction.stage("Three words, one for each change")
def three_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(
        prediction(), 3, WORDS, "for more pairs, wider keys and wider values in this order"
    )


def _asks(index: int, sizes: tuple[int, int, int], why: str) -> None:
    """Adds the question about one change."""

    @check_prediction.stage(f"What {CHANGES[index]} do")
    def change(prediction: Callable[[], Any], rng: Rng) -> None:
        ratio = noise(*sizes, rng) / noise(200, 50, 40, rng)
        word = WORDS[int(np.argmin([abs(np.log(ratio / r)) for r in (2, 1, 0.5)]))]
        said = prediction()[index]
        expect(
            said == word,
            f"You said {said!r}. Measured: with {CHANGES[index]} the noise is {ratio:.2f} times "
            f"what it was. {why}",
        )


_asks(0, (400, 50, 40), "Each other pair adds (k_j . k_i) v_j, and squares of these add up.")
_asks(1, (200, 100, 40), "What is the mean square of k_j . k_i for unit vectors with m numbers?")
_asks(2, (200, 50, 80), "The values have length 1, however many numbers they have.")
