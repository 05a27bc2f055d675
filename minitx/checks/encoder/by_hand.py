"""Two holes, four words and a pencil."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close, same

check_by_hand = Exercise(
    name="encoder/by_hand",
    title="Two holes and a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="A loss of 2 bits is that of an even choice among four, which is what knowing nothing "
    "costs here: one good guess paid for one bad one.",
)

Rng = np.random.Generator
WORDS = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=float)
HIDDEN = np.array([[math.log(2), math.log(3)], [math.log(3), 0]])  # the vectors of the two holes
TRUTH = (2, 1)
PARTS = np.exp(HIDDEN @ WORDS.T)  # 2, 3, 6, 1 and 3, 1, 3, 1
RIGHT = PARTS / PARTS.sum(axis=1, keepdims=True)


def _answer(by_hand: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 2 and np.ndim(got[1]) == 0,
        "Your function should return the probabilities and the loss: `return probabilities, bits`.",
    )
    expect(
        np.shape(got[0]) != (3, 4),
        "There are three rows of probabilities: a token that is not hidden is not asked for.",
    )
    return expect_array(got[0], (2, 4), lists=True, what="the probabilities"), got[1]


@check_by_hand.stage("The probabilities of a hole add up to 1")
def rows_sum_to_one(by_hand: Callable[[], Any], rng: Rng) -> None:
    found, _ = _answer(by_hand)
    mistakes = [
        (HIDDEN @ WORDS.T, "These are the scores: exponentiate them, then divide by their sum."),
        (PARTS, "These are the exponentials: divide each by the sum of its row."),
        (
            PARTS / PARTS.sum(axis=0),
            "Here each column adds up to 1: a hole shares out its probability over the words.",
        ),
    ]
    for wrong, cause in mistakes:
        expect(not same(found, wrong), cause)
    expect_close(found.sum(axis=1), np.ones(2), "The row of some hole does not add up to 1.")


@check_by_hand.stage("The probabilities are right", points=2)
def probabilities_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    found, _ = _answer(by_hand)
    scores = HIDDEN @ WORDS.T
    mistakes = [
        (
            scores / scores.sum(axis=1, keepdims=True),
            "The scores were divided by their sum as they are: exponentiate them first.",
        )
    ]
    rounded = np.abs(found - RIGHT).max() < 0.01 and not same(found, RIGHT)
    expect(not rounded, "Right, but rounded: write the fractions themselves, as in 1 / 3.")
    expect_close(found, RIGHT, "A probability is off (rows are holes).", mistakes, lists=True)


@check_by_hand.stage("The loss is the mean over the hidden tokens, in bits")
def loss_right(by_hand: Callable[[], Any], rng: Rng) -> None:
    _, bits = _answer(by_hand)
    each = -np.log2(RIGHT[[0, 1], TRUTH])  # 1 and 3
    seen = -np.log2(1 / 3)  # of the token that was not hidden
    mistakes = [
        (each.sum(), "That is the sum over the holes: take their mean."),
        (each.mean() * math.log(2), "That is the mean in nats: in bits the logarithm is base 2."),
        (
            (each.sum() + seen) / 3,
            "The token that is not hidden was counted too: it can be read off, and is not asked.",
        ),
        (
            -np.log2(RIGHT[[0, 1], TRUTH].mean()),
            "The probabilities were averaged first: average the logarithms.",
        ),
        (-each.mean(), "The sign: a loss is minus the logarithm of a probability."),
    ]
    expect_close(bits, each.mean(), "The loss is off.", mistakes, lists=True, what="the loss")
