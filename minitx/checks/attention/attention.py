"""Scaled dot-product attention in array operations."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import Rng, attend, normal
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_attention = Exercise(
    name="attention/attention",
    title="Scaled dot-product attention",
    call="attention(q, k, v)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="Three array operations, no loop: every query meets every key in one matrix product.",
)


@check_attention.stage(
    "With one key, the answer is its value",
    hint="Here q is (3, 5), k (1, 5), v (1, 7): q @ k.T has a row for a query, a column for a key.",
)
def one_key(attention: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (3, 5), (1, 5), (1, 7))
    parts = np.exp(q @ k.T / math.sqrt(5))
    mistakes = [
        (
            parts / parts.sum(axis=0) @ v,
            "The queries share one sum: the softmax runs over queries, axis -2, or over all. "
            "The weights of each query sum to 1, over the keys: the last axis.",
        ),
        (
            parts @ v,
            "The weights do not sum to 1: divide the exponentials by their sum over the keys.",
        ),
        (
            np.repeat(v, 3, axis=0) / math.sqrt(5),
            "The softmax came first and the scale after it: divide the scores by √d, and then "
            "take the softmax, or the weights sum to 1/√d.",
        ),
    ]
    want = np.repeat(v, 3, axis=0)
    expect_close(attention(q, k, v), want, "With a single key its weight must be 1.", mistakes)


@check_attention.stage("With keys all alike, the answer is the mean of the values")
def equal_keys(attention: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (3, 2), (5, 2), (5, 7))
    k = np.repeat(k[:1], 5, axis=0)
    want = np.repeat(v.mean(axis=0, keepdims=True), 3, axis=0)
    best = np.repeat(v[:1], 3, axis=0)
    mistakes = [(best, "Only the best key is heard (argmax): the softmax shares among all keys.")]
    message = "Keys that are all alike must get equal weights."
    expect_close(attention(q, k, v), want, message, mistakes)


@check_attention.stage("As a loop over queries and keys says", points=2)
def against_a_loop(attention: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (4, 3), (6, 3), (6, 5))
    scales = [
        (1, "The scores are not scaled: divide q @ k.T by √d, d the last size of q."),
        (1 / 3, "The scores are divided by d: its square root √d is meant."),
        (math.sqrt(3), "The scores are multiplied by √d: divide by it."),
        (1 / math.sqrt(5), "The scale is the root of the width of v: take that of q and k."),
        (1 / math.sqrt(6), "The scale is the root of the number of keys: take the width of q."),
        (1 / math.sqrt(4), "The scale is the root of the number of queries: take the width of q."),
    ]
    mistakes = [(attend(q, k, v, scale), cause) for scale, cause in scales]
    scores = q @ k.T
    no_exp = "The scores are divided by their sum as they are: exponentiate them first (softmax)."
    mistakes.append((scores / scores.sum(axis=1, keepdims=True) @ v, no_exp))
    want = attend(q, k, v)
    expect_close(attention(q, k, v), want, "It differs from the loop.", mistakes)


@check_attention.stage("Scores of many hundreds")
def large_scores(attention: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (4, 3), (6, 3), (6, 5))
    want = attend(1000 * q, k, v)
    message = (
        "Large scores break it: exp(1000) overflows. Subtract each row's largest score first, "
        "as the softmax that is given does; the weights stay the same."
    )
    expect_close(attention(1000 * q, k, v), want, message)


@check_attention.stage(
    "A batch with heads: axes in front",
    hint="Here q is (2, 3, 4, 7): swap only the last two axes of k, with np.swapaxes(k, -1, -2); "
    "k.T turns all of them round.",
)
def axes_in_front(attention: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (2, 3, 4, 7), (2, 3, 6, 7), (2, 3, 6, 5))
    message = "One batch and head after the other is right, all at once is not: mind the axes."
    expect_close(attention(q, k, v), attend(q, k, v), message)
