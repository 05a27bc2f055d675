"""One token, one sublayer, three places for the norm, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

check_by_hand = Exercise(
    name="block/by_hand",
    title="Where the norm stands, with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=5,
    insight="Post-norm forgot how long the token was; the other two carry it on.",
)

Rng = np.random.Generator
X = np.array([1.0, 5.0])
NORMED = np.array([-1.0, 1.0])
NAMES = ("pre-norm", "post-norm", "output norm")


def _answer(by_hand: Callable[[], Any], which: int) -> np.ndarray:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three pairs: `return pre, post, output`.",
    )
    return expect_array(got[which], (2,), lists=True, what=NAMES[which])


@check_by_hand.stage("Pre-norm: x + f(norm(x))")
def pre(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (2 * NORMED, "The stream is missing: pre-norm adds f(norm(x)) to x."),
        (X + 2 * (X - 3), "The mean was taken off, but nothing was divided by the root of 4."),
        (X + 2 * (X - 3) / 4, "Divided by the variance 4: its root is meant, 2."),
        (3 * NORMED, "The normalised token was kept as the stream: x itself goes on, as it was."),
    ]
    got = _answer(by_hand, 0)
    expect_close(got, X + 2 * NORMED, "Norm, then f, then add to x.", mistakes, lists=True)


@check_by_hand.stage("Post-norm: norm(x + f(x))")
def post(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [(3 * X, "That is x + f(x): its norm is still to be taken.")]
    got = _answer(by_hand, 1)
    expect_close(got, NORMED, "Add f(x) to x, then the norm of all.", mistakes, lists=True)


@check_by_hand.stage("Output norm: x + norm(f(x))")
def output(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (X + 2 * NORMED, "That is pre-norm: here f comes first, and the norm has the last word."),
        (NORMED, "The stream is missing: the norm of f(x) is added to x."),
    ]
    got = _answer(by_hand, 2)
    expect_close(got, X + NORMED, "f, then norm, then add to x.", mistakes, lists=True)
