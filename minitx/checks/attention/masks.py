"""Attention with a causal mask and a padding mask at once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import Rng, attend, normal, softmax
from minitx.checks.exercise import Exercise
from minitx.checks.expect import Mistakes, expect, expect_array, expect_close, same

Masked = Callable[..., Any]

check_masks = Exercise(
    name="attention/masks",
    title="Who may hear whom",
    call="masked_attention(q, k, v, lengths)",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="Two rules in one boolean array, joined by `and`; the softmax never knew the others.",
)

DEAF = "The first token hears nobody: a token may hear itself too, s <= t and not s < t."


def _causal_mistakes(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> Mistakes:
    """What the whole output (B, T, e) becomes under mistakes with the causal mask."""
    T, d = q.shape[-2:]
    past = np.tril(np.ones((T, T)))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d)
    return [
        (attend(q, k, v), "Nothing is masked: every token hears the future."),
        (
            attend(q, k, v, allowed=past.T),
            "The triangle is upside down: tokens hear the future and not the past.",
        ),
        (
            (past * softmax(scores)) @ v,
            "The weights were masked after the softmax and no longer sum to 1: put -inf in place "
            "of the scores before it.",
        ),
        (
            softmax(past * scores) @ v,
            "A forbidden score became 0, and exp(0) = 1 is a loud voice: put -inf there.",
        ),
        (attend(q, k, v, scale=1.0, allowed=past), "The mask is right; the scale 1/√d is missing."),
    ]


@check_masks.stage("The first token hears only itself")
def first_token(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 3), (2, 5, 3), (2, 5, 7))
    got = expect_array(masked(q, k, v, np.array([5, 5])), (2, 5, 7))
    for wrong, cause in _causal_mistakes(q, k, v):
        expect(not same(got, wrong), cause)
    first = v[:, 0]
    nobody = [(0 * first + np.nan, DEAF), (v.mean(axis=1), DEAF), (0 * first, DEAF)]
    expect_close(got[:, 0], first, "The first output must be the first value.", nobody)


@check_masks.stage("Without padding, token t hears tokens 0 to t", points=2)
def prefixes(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 3), (2, 5, 3), (2, 5, 7))
    got = expect_array(masked(q, k, v, np.array([5, 5])), (2, 5, 7))
    for t in range(5):
        want = attend(q[:, t : t + 1], k[:, : t + 1], v[:, : t + 1])[:, 0]
        message = f"Plain attention of query {t} over tokens 0 to {t} alone gives something else."
        expect_close(got[:, t], want, message)


@check_masks.stage("Forbidden means forbidden, even among large scores")
def nothing_leaks(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 7, 3), (2, 7, 3), (2, 7, 5))
    q, k = 50 * abs(q), -abs(k)
    k[:, 4:] *= -1  # the past scores far below zero, the future far above it
    lengths = np.array([7, 7])
    before = expect_array(masked(q, k, v, lengths), (2, 7, 5))
    v[:, 4:] += 1000
    after = expect_array(masked(q, k, v, lengths), (2, 7, 5))
    message = (
        "Changing the future changed the past: a penalty such as -10 is outvoted by large scores. "
        "Put -inf there: np.where(allowed, scores, -np.inf)."
    )
    expect_close(after[:, :4], before[:, :4], message)
    expect_close(after, attend(q, k, v, allowed=np.tri(7)), "Large scores break it.")


@check_masks.stage(
    "A batch of sequences of different lengths",
    points=2,
    hint="Shapes: the causal rule is (T, T), the padding rule (B, 1, T); & makes them (B, T, T).",
)
def padding(masked: Masked, rng: Rng) -> None:
    lengths = np.array([4, 2, 6])
    q, k, v = normal(rng, (3, 6, 5), (3, 6, 5), (3, 6, 2))
    got = expect_array(masked(q, k, v, lengths), (3, 6, 2))
    t, s, length = np.arange(6)[:, None], np.arange(6), lengths[:, None, None]
    causal, real = s <= t, s < length
    rules = [
        (causal, "Padding is heard: keys s >= lengths[b] must be forbidden for every query."),
        (real, "The future is heard: allow key s for query t only if s <= t."),
        (causal | real, "The two rules are joined by `or`: both must allow a pair, so use &."),
        (causal & (t < length), "The padding rule forbids queries (rows): it concerns keys."),
        (
            causal & (s <= length),
            "One padded key is heard: real positions end at lengths[b] - 1.",
        ),
        (causal & (s < lengths[0]), "All sequences got the first length: lengths[:, None, None]."),
    ]
    told = np.arange(6) < lengths[:, None]  # the outputs at padded positions are not looked at
    mistakes = [(attend(q, k, v, allowed=rule)[told], cause) for rule, cause in rules]
    want = attend(q, k, v, allowed=causal & real)[told]
    message = f"With lengths {lengths.tolist()}, an output at a real position is wrong."
    expect_close(got[told], want, message, mistakes)
