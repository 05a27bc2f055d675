"""Attention over all tokens by the product that comes out small."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close
from minitx.checks.linear.oracle import Rng, normal, positive, weighed

check_whole = Exercise(
    name="linear/whole",
    title="A hundred thousand tokens",
    call="linear_attention(q, k, v)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="The same three arrays, bracketed the other way: no pair of tokens ever met.",
)


@check_whole.stage("With one key, the answer is its value")
def one_key(answer: Callable[..., Any], rng: Rng) -> None:
    (q, k), (v,) = positive(rng, (5, 3), (1, 3)), normal(rng, (1, 2))
    want = np.repeat(v, 5, axis=0)
    mistakes = [
        (q @ (k.T @ v), "Nothing is divided: the weights q . k do not add up to 1 yet."),
        (
            q @ (k.T @ v) / k.sum(),
            "The divisor is the sum of all features of keys: each query has its own, q . z.",
        ),
    ]
    expect_close(answer(q, k, v), want, "A single key has the weight 1.", mistakes)


@check_whole.stage("As a loop over pairs says", points=2)
def against_a_loop(answer: Callable[..., Any], rng: Rng) -> None:
    (q, k), (v,) = positive(rng, (4, 3), (7, 3)), normal(rng, (7, 5))
    parts = np.exp(q @ k.T)
    scores = q @ k.T
    mistakes = [
        (parts / parts.sum(1, keepdims=True) @ v, "That is a softmax: here a weight is q . k."),
        (
            scores / scores.sum(0) @ v,
            "The divisor runs over queries: a query's weights over all keys add up to 1.",
        ),
        (scores @ v / len(k), "Divided by the number of keys: divide by the sum of the weights."),
    ]
    want = weighed(q, k, v, divide=True)
    expect_close(answer(q, k, v), want, "It differs from the loop.", mistakes)


@check_whole.stage(
    "A hundred thousand queries, as many keys",
    hint="q @ k.T would have 10,000 million entries: bracket the product the other way.",
)
def many(answer: Callable[..., Any], rng: Rng) -> None:
    (q, k), (v,) = positive(rng, (100_000, 3), (100_000, 3)), normal(rng, (100_000, 2))
    some = rng.integers(100_000, size=5)
    scores = q[some] @ k.T
    want = scores @ v / scores.sum(1, keepdims=True)
    got = np.asarray(answer(q, k, v))
    expect_close(got[some], want, "Right for few tokens, off for many.")
