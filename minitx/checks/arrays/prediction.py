"""View or copy: guess, then look."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

Rng = np.random.Generator

check_prediction = Exercise(
    name="arrays/prediction",
    title="Predict, then run: view or copy?",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=10,
    insight="A view is what strides can say; all else has to be copied.",
)

CASES = (
    ("x.T", lambda x: x.T),
    ("x[1:, ::-1]", lambda x: x[1:, ::-1]),
    ("x.reshape(6, 4)", lambda x: x.reshape(6, 4)),
    ("x.swapaxes(1, 2).reshape(2, 12)", lambda x: x.swapaxes(1, 2).reshape(2, 12)),
    ("x[[0, 1]]", lambda x: x[[0, 1]]),
    ("x[x > 0]", lambda x: x[x > 0]),
)


@check_prediction.stage("Six words")
def six_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 6, ("view", "copy"))


def _asks(first: int, what: str, why: str) -> None:
    """Adds the question about two neighbouring cases."""

    @check_prediction.stage(what)
    def pair(prediction: Callable[[], Any], rng: Rng) -> None:
        x, said = rng.normal(size=(2, 3, 4)), prediction()
        for i in (first, first + 1):
            text, make = CASES[i]
            word = "view" if np.shares_memory(x, make(x)) else "copy"
            expect(said[i] == word, f"You said {said[i]!r} of {text}. It is a {word}. {why}")


_asks(0, "Turned and sliced", "Other strides, and another first entry: can they say it?")
_asks(
    2,
    "Reshaped",
    "Write down where its entries lie in memory: is the distance from each to the next the same "
    "along every axis?",
)
_asks(4, "Picked by a list or by a condition", "Entries picked one by one lie at no even distance.")
