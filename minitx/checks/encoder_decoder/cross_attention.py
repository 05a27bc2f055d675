"""Attention to another sequence, padded."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import attend, normal, softmax
from minitx.checks.encoder_decoder.oracle import Rng, cross
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close

Cross = Callable[..., Any]

check_cross_attention = Exercise(
    name="encoder_decoder/cross_attention",
    title="Attention to another sequence",
    call="cross_attention(h, m, w_q, w_k, w_v, valid)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="One side asks, the other answers; only who is asked can be padding.",
)

SHAPES = "Shapes: h @ w_q is (B, T, d), m @ w_k (B, S, d), scores (B, T, S), valid[:, None, :]."
EVERY = "With every source word valid it differs from a loop over pairs."


@check_cross_attention.stage("Two sequences of the same shape, no padding", hint=SHAPES)
def alike(cross_attention: Cross, rng: Rng) -> None:
    h, m, *w = normal(rng, (2, 5, 3), (2, 5, 3), (3, 3), (3, 3), (3, 3))
    valid = np.ones((2, 5), dtype=bool)
    q, k, v = h @ w[0], m @ w[1], m @ w[2]
    mistakes = [
        (attend(q, h @ w[1], v), "The keys were made of h: what is asked is the source, m."),
        (attend(q, k, h @ w[2]), "The values were made of h: the answer comes from m."),
        (attend(q, h @ w[1], h @ w[2]), "This is attention of h to itself: m was never heard."),
        (attend(m @ w[0], h @ w[1], h @ w[2]), "The roles are exchanged: h asks and m answers."),
        (attend(q, k, v, scale=1.0), "The scores are not divided by √d."),
        (attend(q, k, v, scale=1 / 3), "The scores are divided by d: its root is meant."),
        (softmax(q @ k.swapaxes(1, 2) / np.sqrt(3), axis=1) @ v,
         "The softmax runs over queries: each query shares out its weight over the source."),
    ]  # fmt: skip
    expect_close(cross_attention(h, m, *w, valid), attend(q, k, v), EVERY, mistakes)


@check_cross_attention.stage("Two lengths, and four widths", hint=SHAPES)
def unlike(cross_attention: Cross, rng: Rng) -> None:
    h, m, *w = normal(rng, (2, 3, 5), (2, 7, 4), (5, 6), (4, 6), (4, 2))
    valid = np.ones((2, 7), dtype=bool)
    q, k, v = h @ w[0], m @ w[1], m @ w[2]
    mistakes = [
        (attend(q, k, v, scale=5**-0.5), "The scale is 1/√D: it is the width d of a query."),
        (attend(q, k, v, scale=4**-0.5), "The scale is 1/√E: it is the width d of a query."),
        (attend(q, k, v, scale=2**-0.5), "The scale is taken from the values: q has d numbers."),
    ]
    expect_close(cross_attention(h, m, *w, valid), attend(q, k, v), EVERY, mistakes)


@check_cross_attention.stage("Padding is not heard", points=2, hint=SHAPES)
def padding(cross_attention: Cross, rng: Rng) -> None:
    h, m, *w = normal(rng, (3, 4, 5), (3, 6, 2), (5, 3), (2, 3), (2, 7))
    valid = np.array([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0]], dtype=bool)
    got = expect_array(cross_attention(h, m, *w, valid), (3, 4, 7))
    q, k, v = h @ w[0], m @ w[1], m @ w[2]
    scores = q @ k.swapaxes(1, 2) / np.sqrt(3)
    with np.errstate(invalid="ignore"):
        upside_down = softmax(np.where(valid[:, None], -np.inf, scores)) @ v
    mistakes = [
        (attend(q, k, v), "Padding is heard: where valid[b, s] is False, s gets no weight."),
        (upside_down, "The mask is upside down: valid is True for words."),
        ((softmax(scores) * valid[:, None]) @ v,
         "Padding was silenced after the softmax: the weights no longer add up to 1."),
        (softmax(scores * valid[:, None]) @ v,
         "The scores of padding became 0, and exp(0) = 1 is still heard: put -inf there."),
        (attend(q, k, v, allowed=valid[:1, None]),
         "Every sentence got the padding of the first: valid[:, None, :] has a row for each."),
    ]  # fmt: skip
    expect_close(got, cross(h, m, *w, valid), "With padding it differs from a loop.", mistakes)


@check_cross_attention.stage("Padding is not heard, however loud")
def loud(cross_attention: Cross, rng: Rng) -> None:
    h, m, *w = normal(rng, (2, 3, 4), (2, 5, 4), (4, 3), (4, 3), (4, 2))
    valid = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
    m[~valid] *= 1e7
    message = (
        "Padding with large numbers is heard: a penalty such as -1e4 is outvoted by large scores. "
        "Put -inf in place of the scores."
    )
    expect_close(cross_attention(h, m, *w, valid), cross(h, m, *w, valid), message)
