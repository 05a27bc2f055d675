"""Two passes of descent and one of Newton, on two examples, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect, expect_array, expect_close

check_by_hand = Exercise(
    name="looped/by_hand",
    title="Two passes with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="With 3/16 for its step, one pass of descent says 7.5 at once: one pass of Newton is "
    "worth two of descent, two are worth four, three are worth eight.",
)

Rng = np.random.Generator
X, Y, QUESTION, STEP = np.array([1.0, 3.0]), np.array([4.0, 12.0]), 2.0, 3 / 20


def _answer(by_hand: Callable[[], Any], which: int) -> Any:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three things: `return rests, predictions, m`; it returned "
        f"{describe(got)}.",
    )
    return got[which]


@check_by_hand.stage("The rests after one pass")
def rests(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = expect_array(_answer(by_hand, 0), (3,), lists=True, what="rests")
    w = STEP * np.mean(X * Y)
    want = np.array([*(Y - w * X), -w * QUESTION])
    mistakes = [
        (np.abs(want), "The question's rest begins at 0 and has w x taken off: it is below 0."),
        (want * [1, 1, 0], "The question is a token like the others: its rest changes as well."),
        ([*(Y - 2 * w * X), -2 * w * QUESTION], "That is the sum over the two examples; descent "
         "goes by their mean."),
    ]  # fmt: skip
    expect_close(
        got, want, "w = A times the mean of x y; then r - w x for all three.", mistakes, lists=True
    )


@check_by_hand.stage("Two predictions")
def predictions(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = expect_array(_answer(by_hand, 1), (2,), lists=True, what="predictions")
    want = np.array([6.0, 7.5])
    mistakes = [
        (-want, "Those are the rests of the question: the prediction is minus its rest."),
        ([6.0, 12.0], "The second pass hears the rests 1 and 3, not the answers 4 and 12 again."),
        ([6.0, 1.5], "1.5 is what the second pass adds."),
        ([3.0, 3.75], "These are the two w: the prediction is w times 2."),
    ]
    expect_close(got, want, "Each pass leaves a quarter of the rests.", mistakes, lists=True)


@check_by_hand.stage("One pass of Newton")
def newton(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = expect_array(_answer(by_hand, 2), (), lists=True, what="m")
    second = np.mean(X**2)
    want = 2 * STEP - STEP * second * STEP
    mistakes = [
        (2 * STEP - STEP**2 * 10, "S is the mean of x^2, (1 + 9) / 2, not the sum."),
        (1 / second, "That is where the passes lead, 1/5; one of them does not get there."),
        (2 * STEP - STEP * second, "m appears twice in the product: m S m."),
    ]
    expect_close(got, want, "m <- 2 m - m S m with m = 3/20 and S = 5.", mistakes, lists=True)
