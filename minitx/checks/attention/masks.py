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
    call="masked_attention(q, k, v, real)",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="Two rules in one boolean array, joined by `and`; the softmax never knew the others.",
)

SHAPES = "Shapes: the causal rule is (T, T), the padding rule real[:, None, :] (B, 1, T)."
DEAF = "The first token hears nobody: a token may hear itself too, s <= t and not s < t."


def _causal_mistakes(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> Mistakes:
    """What the whole output (B, T, e) becomes under mistakes with the causal mask."""
    T, d = q.shape[-2:]
    past = np.tril(np.ones((T, T)))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d)
    return [
        (
            attend(q, k, v),
            "Nothing is masked: every token hears the future. Either a rule is missing, or the "
            "two are joined by `or` (both must allow a pair: &).",
        ),
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


@check_masks.stage("The first token hears only itself", hint=SHAPES)
def first_token(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 3), (2, 5, 3), (2, 5, 7))
    got = expect_array(masked(q, k, v, np.ones((2, 5), dtype=bool)), (2, 5, 7))
    for wrong, cause in _causal_mistakes(q, k, v):
        expect(not same(got, wrong), cause)
    expect(
        not np.isnan(got).all(),
        "No token hears anybody: is real read upside down? It is True where a token is.",
    )
    first = v[:, 0]
    others = attend(q[:, :1], k[:, 1:], v[:, 1:])[:, 0]
    inverted = "The mask is inverted: token 0 hears all but itself. True means may hear."
    nobody = [
        (others, inverted),
        (0 * first + np.nan, DEAF),
        (v.mean(axis=1), DEAF),
        (0 * first, DEAF),
    ]
    expect_close(got[:, 0], first, "The first output must be the first value.", nobody)


@check_masks.stage("Without padding, token t hears tokens 0 to t", points=2)
def prefixes(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 3), (2, 5, 3), (2, 5, 7))
    got = expect_array(masked(q, k, v, np.ones((2, 5), dtype=bool)), (2, 5, 7))
    for t in range(5):
        want = attend(q[:, t : t + 1], k[:, : t + 1], v[:, : t + 1])[:, 0]
        message = f"Plain attention of query {t} over tokens 0 to {t} alone gives something else."
        alone = [(v[:, t], f"Token {t} hears only itself: it may hear all that came before, too.")]
        expect_close(got[:, t], want, message, alone)


@check_masks.stage("Forbidden means forbidden, even among large scores")
def nothing_leaks(masked: Masked, rng: Rng) -> None:
    q, k, v = normal(rng, (2, 7, 3), (2, 7, 3), (2, 7, 5))
    q, k = 50 * abs(q), -abs(k)
    k[:, 4:] *= -1  # the past scores far below zero, the future far above it
    real = np.ones((2, 7), dtype=bool)
    before = expect_array(masked(q, k, v, real), (2, 7, 5))
    v[:, 4:] += 1000
    after = expect_array(masked(q, k, v, real), (2, 7, 5))
    message = (
        "Changing the future changed the past: a penalty such as -10 is outvoted by large scores. "
        "Put -inf there: np.where(allowed, scores, -np.inf)."
    )
    expect_close(after[:, :4], before[:, :4], message)
    expect_close(after, attend(q, k, v, allowed=np.tri(7)), "Large scores break it.")


@check_masks.stage("Padding is never heard", points=2, hint=SHAPES)
def padding(masked: Masked, rng: Rng) -> None:
    real = np.array([[1, 1, 0, 1, 1, 0], [1, 0, 0, 1, 1, 1], [1, 1, 1, 0, 1, 1]], dtype=bool)
    q, k, v = normal(rng, (3, 6, 5), (3, 6, 5), (3, 6, 2))
    causal, query, key = np.tri(6, dtype=bool), real[:, :, None], real[:, None, :]
    rules = [
        (causal, "Padding is heard: where real[b, s] is False, no query may hear key s."),
        (causal & query, "The padding rule forbids queries, the rows: it concerns keys."),
        (causal & query & key, "The padding rule forbids queries as well as keys: keys will do."),
        (causal & key[:1], "Every sequence got the padding of the first: real[:, None, :]."),
    ]
    deaf = np.where(query, 0, np.nan)  # how a row without any allowed key may come out
    wrong = [(attend(q, k, v, allowed=rule), cause) for rule, cause in rules]
    mistakes = [*wrong, *((out + deaf, cause) for out, cause in wrong[1:3])]
    want = attend(q, k, v, allowed=causal & key)
    expect_close(masked(q, k, v, real), want, "It differs from a loop over pairs.", mistakes)


@check_masks.stage("A query that may hear nobody gets zeros")
def nobody(masked: Masked, rng: Rng) -> None:
    real = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 1, 1]], dtype=bool)
    q, k, v = normal(rng, (2, 5, 3), (2, 5, 3), (2, 5, 7))
    got = expect_array(masked(q, k, v, real), (2, 5, 7))
    expect(
        not np.isnan(got[0, 0]).any(),
        "With padding in front, query 0 has no key at all: a row of -inf, whose softmax is 0/0. "
        "One NaN spoils all that follows; give zeros there (np.where on the weights).",
    )
    expect(
        not same(got[0, 0], v[0].mean(axis=0)),
        "With padding in front, query 0 has no key at all and got the mean of all, forbidden ones "
        "included: equal scores give equal weights, however low. Give zeros there.",
    )
    causal = np.tri(5, dtype=bool)
    expect_close(got, attend(q, k, v, allowed=causal & real[:, None]), "Query 0 hears nobody.")
