"""What a learning rate does to a weight in a valley: guess, then run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="training/prediction",
    title="Predict, then run: too large a rate",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="The edge is 2 / λ for plain steps; a momentum μ moves it out to 2 (1 + μ) / λ, since "
    "a ball that overshoots is slowed down by the speed that it brings along.",
)

Rng = np.random.Generator
WORDS = ("straight", "bouncing", "away")
CURVATURE = 10.0
CASES = ((0.08, 0.0), (0.15, 0.0), (0.25, 0.0), (0.25, 0.9))  # (rate, momentum)


def path(lr: float, momentum: float, steps: int = 300, w: float = 1.0) -> np.ndarray:
    """The weight after 0, 1, 2, ... steps down the slope of the loss 5 w^2."""
    found, velocity = [w], 0.0
    for _ in range(steps):
        velocity = momentum * velocity + CURVATURE * w
        w = w - lr * velocity
        found.append(w)
    return np.array(found)


def _word(found: np.ndarray) -> str:
    """ "straight" to 0 from one side, "bouncing" to 0 from both, or "away"."""
    if not abs(found[-1]) < 0.01:
        return "away"
    return "bouncing" if (found < 0).any() else "straight"


@check_prediction.stage("Four words, one for each case")
def four_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 4, WORDS)


def _asks_case(index: int, why: str) -> None:
    """Adds the question about one case."""
    lr, momentum = CASES[index]

    @check_prediction.stage(f"Rate {lr}, momentum {momentum:g}")
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        found = path(lr, momentum)
        said = prediction()[index]
        first = ", ".join(f"{w:.3g}" for w in found[:5])
        expect(
            said == _word(found),
            f"You said {said!r}. The weight goes {first}, ..., and is {found[-1]:.2g} after "
            f"{len(found) - 1} steps. {why}",
        )


_asks_case(0, "By which number is w multiplied in a step, and is it positive?")
_asks_case(1, "That number is negative now. Is it above -1?")
_asks_case(2, "Now it lies below -1: what does that do when it is multiplied again and again?")
_asks_case(3, "The velocity of the step before points the other way: does it add, or brake?")
