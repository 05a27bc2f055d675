"""A matrix and a vector that follow three tokens, worked out with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close
from minitx.checks.linear.oracle import Rng, weighed

check_by_hand = Exercise(
    name="linear/by_hand",
    title="A state and a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="Six numbers hold all that was said, after three tokens as after three million.",
)

FEATURES_Q = np.array([[1, 3], [3, 1], [1, 1]], dtype=float)
FEATURES_K = np.array([[2, 0], [1, 1], [0, 4]], dtype=float)
VALUES = np.array([[3, 6], [0, 9], [4, 2]], dtype=float)
STATE, WEIGHTS = FEATURES_K.T @ VALUES, FEATURES_K.sum(axis=0)


def _hand_answer(by_hand: Callable[[], Any]) -> tuple[Any, Any, Any]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three things: `return state, weights, outputs`.",
    )
    names = ("the state S", "the sum z", "the outputs")
    shapes = ((2, 2), (2,), (3, 2))
    return tuple(
        expect_array(part, shape, lists=True, what=name)
        for part, shape, name in zip(got, shapes, names, strict=True)
    )


@check_by_hand.stage("The state after three tokens")
def state(by_hand: Callable[[], Any], rng: Rng) -> None:
    found, *_ = _hand_answer(by_hand)
    mistakes = [
        (STATE.T, "The state is turned: its rows belong to the features of keys, k v^T."),
        (np.outer(FEATURES_K[2], VALUES[2]), "That is what the last token adds, not the sum."),
        (FEATURES_Q.T @ VALUES, "The features of queries were summed: keys are what is stored."),
    ]
    expect_close(found, STATE, "S is the sum of three tables k v^T.", mistakes)


@check_by_hand.stage("The sum of the keys")
def keys(by_hand: Callable[[], Any], rng: Rng) -> None:
    _, weights, _ = _hand_answer(by_hand)
    queries = [(FEATURES_Q.sum(axis=0), "Those are the queries: z is the sum of the keys.")]
    message = "z is the sum of the features of the three keys."
    expect_close(weights, WEIGHTS, message, queries)


@check_by_hand.stage("Each token hears those up to itself", points=2)
def outputs(by_hand: Callable[[], Any], rng: Rng) -> None:
    *_, found = _hand_answer(by_hand)
    sums = weighed(FEATURES_Q, FEATURES_K, VALUES, causal=True)
    whole = weighed(FEATURES_Q, FEATURES_K, VALUES, divide=True)
    want = weighed(FEATURES_Q, FEATURES_K, VALUES, causal=True, divide=True)
    mistakes = [
        (sums, "These are the sums S^T q: divide each by its weights, z . q."),
        (whole, "The last state was asked by all three: token t asks the state after token t."),
    ]
    expect_close(found, want, "An output is off: (S^T q) / (z . q).", mistakes)
