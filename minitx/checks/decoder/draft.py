"""A draft that costs nothing: it guesses from what was written so far."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

Rng = np.random.Generator

check_draft = Exercise(
    name="decoder/draft",
    title="Open: a draft without a model",
    call="draft_from(history, vocabulary)",
    kind="open",
    difficulty=3,
    minutes=35,
    insight="A draft may be anything that gives probabilities: a bad one costs time, never truth.",
)
WANTED = 0.7


def _guess(draft: Callable[..., Any], history: np.ndarray, vocabulary: int) -> np.ndarray:
    got = expect_array(draft(history.copy(), vocabulary), (vocabulary,))
    expect(
        np.isfinite(got).all() and got.min() >= 0,
        f"After {len(history)} tokens the guess has a negative number, an infinity or a NaN. "
        "What is divided by what, when nothing was seen yet?",
    )
    expect(
        abs(got.sum() - 1) < 1e-9,
        f"After {len(history)} tokens the guess sums to {got.sum():.4g}, and probabilities sum "
        "to 1.",
    )
    return got


@check_draft.stage("Probabilities, whatever was written", hint="At first the history is empty.")
def probabilities(draft: Callable[..., Any], rng: Rng) -> None:
    for length in (0, 1, 2, 13):
        _guess(draft, rng.integers(0, 7, length), 7)


@check_draft.stage("It notices what repeats itself")
def repeats(draft: Callable[..., Any], rng: Rng) -> None:
    cycle = rng.permutation(5)[:3]
    history = np.tile(cycle, 20)
    chance = _guess(draft, history, 5)[cycle[0]]
    expect(
        chance > 0.5,
        f"After three tokens in turn, twenty times over, it gives the next one a chance of "
        f"{chance:.2f}; above 0.5 was asked for. What followed the last token before?",
    )


@check_draft.stage("Seven guesses in ten are kept", points=3)
def kept(draft: Callable[..., Any], rng: Rng) -> str:
    V, T = 9, 700
    p = rng.dirichlet(np.full(V, 0.15), size=V)  # the target: what follows each token
    text = [0]
    for _ in range(T):
        text.append(int(rng.choice(V, p=p[text[-1]])))
    text = np.array(text)
    accepted = np.mean(
        [np.minimum(p[text[t - 1]], _guess(draft, text[:t], V)).sum() for t in range(T // 2, T)]
    )
    expect(
        accepted >= WANTED,
        f"On a text of {T} tokens where each depends on the one before, {accepted:.2f} of its "
        f"guesses would be kept, and {WANTED} was asked for. Spread the guess over all that "
        "followed such a token, in the proportions in which it did.",
    )
    gain = (1 - accepted**5) / (1 - accepted)
    return f"Kept: {accepted:.2f} of the guesses; four at a time give {gain:.1f} tokens a pass."
