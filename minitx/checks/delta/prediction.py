"""What becomes of an error when the same pair is written again and again: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.delta.oracle import Rng, states, unit
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="delta/prediction",
    title="Predict, then run: the length of a step",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=10,
    insight="A write leaves (1 - beta) of the error: at 2 it only changes its sign.",
)

STEPS = (0.5, 1.0, 2.0, 2.5)
WORDS = ("gone", "shrinks", "stays", "grows")


def errors(beta: float, rng: Rng, writes: int = 6) -> np.ndarray:
    """|S^T k - v| before the first write of a pair and after each, from a random state."""
    k, v, state = unit(rng, 1, 5), rng.normal(size=(1, 3)), rng.normal(size=(5, 3))
    again = np.repeat(k, writes, axis=0), np.repeat(v, writes, axis=0), np.full(writes, beta)
    return np.array([np.linalg.norm(s.T @ k[0] - v[0]) for s in [state, *states(*again, state)]])


def _word(found: np.ndarray) -> str:
    if found[1] < 1e-12 * found[0]:
        return "gone"
    ratio = found[2] / found[1]
    return "stays" if abs(ratio - 1) < 1e-6 else "shrinks" if ratio < 1 else "grows"


@check_prediction.stage("Four words, one for each step")
def four_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 4, WORDS, "for beta = 0.5, 1, 2 and 2.5 in this order")


def _asks(index: int, why: str) -> None:
    """Adds the question about one step."""

    @check_prediction.stage(f"beta = {STEPS[index]:g}")
    def step(prediction: Callable[[], Any], rng: Rng) -> None:
        found = errors(STEPS[index], rng)
        said = prediction()[index]
        sizes = ", ".join(f"{size / found[0]:.3g}" for size in found[:4])
        expect(
            said == _word(found),
            f"You said {said!r}. Measured, as shares of the first error: {sizes}, ... {why}",
        )


_asks(0, "Half of what is missing is written each time.")
_asks(1, "All of what is missing is written.")
_asks(2, "Twice what is missing is written: where does the answer land?")
_asks(3, "It goes past the value by more than it was short of it.")
