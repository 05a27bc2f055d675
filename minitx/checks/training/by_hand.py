"""First steps of SGD, Adam and AdamW for two weights, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

check_by_hand = Exercise(
    name="training/by_hand",
    title="Three first steps, with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="SGD moves weights by what their gradients are worth; Adam moves all by the rate.",
)

Rng = np.random.Generator
P, G, LR, DECAY = np.array([2.0, -1.0]), np.array([0.03, -12.0]), 0.1, 0.5
SIGN = np.sign(G)
NAMES = ("SGD", "Adam", "AdamW")


def _answer(by_hand: Callable[[], Any], which: int) -> np.ndarray:
    got = by_hand()
    expect(
        isinstance(got, tuple | list | np.ndarray) and len(got) == 3,
        "Your function should return three pairs of weights: `return sgd, adam, adamw`.",
    )
    return expect_array(got[which], (2,), lists=True, what=f"the pair of {NAMES[which]}")


@check_by_hand.stage("SGD")
def sgd(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (P + LR * G, "That is uphill: the gradient points to where the loss grows."),
        (-LR * G, "These are the steps: add them to the weights."),
        (P - G, "The rate 0.1 is missing."),
    ]
    expect_close(
        _answer(by_hand, 0), P - LR * G, "It is w - 0.1 g, for each.", mistakes, lists=True
    )


@check_by_hand.stage("Adam's first step", points=2)
def adam(by_hand: Callable[[], Any], rng: Rng) -> None:
    uncorrected = P - LR * SIGN * 0.1 / np.sqrt(0.001)
    got = _answer(by_hand, 1)
    expect(
        np.abs(got - uncorrected).max() > 0.005,
        "The means start at 0 and are ten and a thousand times too small: divide m by 1 - 0.9 "
        "and v by 1 - 0.999 first.",
    )
    mistakes = [
        (P - LR * np.abs(SIGN), "The root of the square is positive, but the mean keeps its sign."),
        (P - LR * G, "That is SGD: Adam divides the mean gradient by the root of the mean square."),
        (P - LR / G, "Divided by the mean square: its root is meant."),
    ]
    want = P - LR * SIGN
    message = "After one step m' = g and v' = g^2: what is m' / sqrt(v')?"
    expect_close(got, want, message, mistakes, lists=True)


@check_by_hand.stage("AdamW's first step")
def adamw(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (
            P - LR * SIGN,
            "Nothing has decayed. (Or the decay went into the gradient, where Adam divides it "
            "away: here it belongs to the weight itself.)",
        ),
        (P * (1 - DECAY) - LR * SIGN, "The decay is 0.5 for each unit of the rate: w (1 - 0.05)."),
        (P * (1 + LR * DECAY) - LR * SIGN, "The weights grow: a decay makes them smaller."),
        ((P - LR * SIGN) * (1 - LR * DECAY), "The step decayed too: the old weights decay, first."),
    ]
    want = P * (1 - LR * DECAY) - LR * SIGN
    expect_close(
        _answer(by_hand, 2), want, "First w (1 - 0.05), then Adam's step.", mistakes, lists=True
    )
