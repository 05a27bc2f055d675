"""One guess of a draft, kept or refused, on three tokens and with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_by_hand = Exercise(
    name="decoder/by_hand",
    title="A guess, kept or refused",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="q · kept + (1 - accepted) · rest is p again, whatever q is: try it with your numbers.",
)

P = np.array([4, 3, 1]) / 8  # the target
Q = np.array([2, 2, 4]) / 8  # the draft


def _answer(by_hand: Callable[[], Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three things: `return kept, accepted, rest`.",
    )
    kept, accepted, rest = got
    return (
        expect_array(kept, (3,), lists=True, what="kept"),
        expect_array(accepted, (), lists=True, what="accepted"),
        expect_array(rest, (3,), lists=True, what="rest"),
    )


@check_by_hand.stage("With which probability each guess is kept")
def kept(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (P / Q, "Some of these are above 1: a probability is cut there, min(1, p / q)."),
        (np.minimum(1, Q / P), "The wrong way round: it is the draft's excess that is refused."),
        (
            np.minimum(P, Q),
            "This is how often a token is guessed and kept; asked is how often it is kept once it "
            "was guessed: divide by q.",
        ),
    ]
    want = np.minimum(1, P / Q)
    expect_close(_answer(by_hand)[0], want, "A guess is kept with min(1, p / q).", mistakes)


@check_by_hand.stage("How often a guess is kept in all")
def accepted(by_hand: Callable[[], Any], rng: Rng) -> None:
    keep = np.minimum(1, P / Q)
    mistakes = [
        (keep.mean(), "This is the plain mean of the three; the draft guesses with chances q."),
        (P @ keep, "Here they are weighted with p: it is the draft that guesses, with chances q."),
        (1 - Q @ keep, "This is how often a guess is refused."),
    ]
    want = Q @ keep
    expect_close(_answer(by_hand)[1], want, "Sum q · kept over the tokens.", mistakes)


@check_by_hand.stage("What is drawn from after a refusal", points=2)
def rest(by_hand: Callable[[], Any], rng: Rng) -> None:
    more = np.maximum(P - Q, 0)
    mistakes = [
        (
            P,
            "Drawing from p again gives token 0 with 2/8 + 3/8 · 1/2 in all, which is not 4/8: "
            "only what the draft gave too little of is still missing.",
        ),
        (more, "These do not sum to 1: divide by their sum."),
        (abs(P - Q) / abs(P - Q).sum(), "Where q is above p nothing is missing: max(p - q, 0)."),
        (np.maximum(Q - P, 0) / more.sum(), "The wrong sign: missing is what p has more than q."),
    ]
    expect_close(
        _answer(by_hand)[2], more / more.sum(), "It is max(p - q, 0), normalised.", mistakes
    )
