"""Three memories that are told the same, worked out with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.delta.oracle import Rng, states
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

check_by_hand = Exercise(
    name="delta/by_hand",
    title="Three memories and a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="One adds, one fades, and one asks first and writes what is missing.",
)

KEYS = np.array([[1, 0], [0, 1], [1, 0], [0.6, 0.8]])
VALUES, STEPS = np.array([[8], [5], [4], [10.4]]), np.array([1, 1, 1, 0.5])
NAMES = ("the sum", "the memory that fades", "the delta rule's state", "the state after token 4")


def _four(by_hand: Callable[[], Any]) -> list[Any]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 4,
        "Your function should return four states: `return added, faded, delta, fourth`.",
    )
    return [
        expect_array(part, (2,), lists=True, what=name)
        for part, name in zip(got, NAMES, strict=True)
    ]


@check_by_hand.stage("The sum")
def the_sum(by_hand: Callable[[], Any], rng: Rng) -> None:
    want = (KEYS[:3].T @ VALUES[:3])[:, 0]
    expect_close(_four(by_hand)[0], want, "Add k v for the first three tokens.")


@check_by_hand.stage("The memory that fades")
def fading(by_hand: Callable[[], Any], rng: Rng) -> None:
    want = np.zeros(2)
    for key, value in zip(KEYS[:3], VALUES[:3], strict=True):
        want = want / 2 + key * value
    mistakes = [
        (want / 2, "The last token fades, too: halve what is there, then add."),
        ([8, 2.5], "Token 1 faded once: it fades at token 2 and again at token 3."),
    ]
    expect_close(_four(by_hand)[1], want, "Halve the state, then add k v.", mistakes)


@check_by_hand.stage("The delta rule", points=2)
def delta(by_hand: Callable[[], Any], rng: Rng) -> None:
    *_, third, fourth = (s[:, 0] for s in states(KEYS, VALUES, STEPS, np.zeros((2, 1))))
    *_, found, last = _four(by_hand)
    sums = [([12, 5], "That is the sum: ask the state for k first, and write what is missing.")]
    expect_close(found, third, "Afterwards the state answers k with v, and others stay.", sums)
    key, value = KEYS[3], VALUES[3]
    mistakes = [
        (2 * fourth - third, "Token 4 writes half of what is missing: beta is 1/2."),
        (third + key * value / 2, "Half the value was added: half of what is missing is meant."),
        (fourth - third, "That is what token 4 adds; the state afterwards is asked for."),
    ]
    message = "The state answers (3/5, 4/5) with 3/5 of its first number and 4/5 of its second."
    expect_close(last, fourth, message, mistakes)
