"""One look-up among four columns, and one subtraction of three bits, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect, expect_array, expect_close

check_by_hand = Exercise(
    name="programs/by_hand",
    title="A look-up and a sum, with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="-0.75 is a clear -1 once it is rounded; and 1 - 6 = 3 in three bits, as on any "
    "computer whose words are too short.",
)

Rng = np.random.Generator
CODES = np.array([[1, -1], [-1, 1], [1, 1], [0, 0]])
BITS = np.array([1, -1, -1, 0])


def _weights(sharpness: float, address: int) -> np.ndarray:
    exponentials = np.exp(sharpness / 2 * CODES @ CODES[address])
    return exponentials / exponentials.sum()


def _answer(by_hand: Callable[[], Any], which: int) -> Any:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 4,
        "Your function should return four things: `return weights, heard, total, word`; it "
        f"returned {describe(got)}.",
    )
    return got[which]


@check_by_hand.stage("Four weights")
def weights(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = expect_array(_answer(by_hand, 0), (4,), lists=True, what="weights")
    mistakes = [
        (_weights(np.log(9), 0), "These are the weights for address 1: 3 is asked for."),
        (_weights(2 * np.log(9), 2), "The query is half of lambda times the code: a score of "
         "lambda, not of 2 lambda, at the right address."),
        ([1, 1, 9, 1], "These are the exponentials: divide them by their sum."),
        ([1 / 11, 1 / 11, 9 / 11, 0], "The scratchpad's score is 0, and e^0 = 1: it takes a part "
         "of the attention too."),
    ]  # fmt: skip
    expect_close(got, _weights(np.log(9), 2), "Scores, exponentials, sum.", mistakes, lists=True)


@check_by_hand.stage("What is heard")
def heard(by_hand: Callable[[], Any], rng: Rng) -> None:
    want = _weights(np.log(9), 2) @ BITS
    mistakes = [
        (-1.0, "-1 is what is meant to be heard; the other columns are heard a little as well."),
        (-want, "The sign is turned over: address 3 holds a bit of -1."),
    ]
    got = expect_array(_answer(by_hand, 1), (), lists=True, what="heard")
    expect_close(got, want, "The mean of the bits with these weights.", mistakes, lists=True)


@check_by_hand.stage("The sum")
def total(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = _answer(by_hand, 2)
    expect(got != 2, "That is y and the turned bits of x: the 1 is still missing.")
    expect(got != 8, "x itself was added: turn its bits over first, 110 to 001.")
    expect(got == 3, f"y is 1, 6 turned over is 1, and there is a 1: that is no {got}.")


@check_by_hand.stage("The word")
def word(by_hand: Callable[[], Any], rng: Rng) -> None:
    got = _answer(by_hand, 3)
    expect(got != -5, "1 - 6 is -5, and three bits have no -5: read the bits of the sum, 011.")
    expect(got == 3, f"The bits of the sum 3 are 011, and the highest is off: that is no {got}.")
