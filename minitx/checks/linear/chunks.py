"""Causal sums by chunks: a masked matrix within, a state between."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close
from minitx.checks.linear.oracle import Rng, normal, weighed

check_chunks = Exercise(
    name="linear/chunks",
    title="Chunk by chunk",
    call="by_chunks(q, k, v, chunk)",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="With chunk=1 you wrote a recurrent network, with chunk=T masked attention: one sum.",
)


def _states(q: np.ndarray, k: np.ndarray, v: np.ndarray, chunk: int, when: str) -> np.ndarray:
    """The sums under a mistake with the state: "late" (added first), "last" chunk only, "never"."""
    out, state = np.zeros((len(q), v.shape[1])), np.zeros((k.shape[1], v.shape[1]))
    for start in range(0, len(q), chunk):
        a, b, c = (x[start : start + chunk] for x in (q, k, v))
        new = b.T @ c
        if when == "late":
            state = state + new
        out[start : start + chunk] = np.tril(a @ b.T) @ c + (0 if when == "never" else a @ state)
        if when == "last":
            state = new
    return out


def _mistakes(q, k, v, chunk):
    return [
        (weighed(q, k, v), "Every token hears all: within a chunk, too, j <= t (np.tril)."),
        (
            _states(q, k, v, chunk, "never"),
            "Each chunk hears only itself: ask the state, q @ S, for what came before it.",
        ),
        (
            _states(q, k, v, chunk, "late"),
            "The chunk is heard twice: ask the state before the chunk is added to it.",
        ),
        (
            _states(q, k, v, chunk, "last"),
            "The state holds the last chunk alone: add to it, S + k^T v.",
        ),
        (
            weighed(q, k, v, causal=True) - (q * k).sum(1, keepdims=True) * v,
            "No token hears itself: the diagonal belongs to the sum, j <= t.",
        ),
        (
            weighed(q, k, v, causal=True, divide=True),
            "The sums are divided by their weights: here they are wanted as they are.",
        ),
    ]


@check_chunks.stage("One chunk for all is a masked matrix")
def one_chunk(by_chunks: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (6, 3), (6, 3), (6, 2))
    want = weighed(q, k, v, causal=True)
    message = "With a chunk as long as the sequence it differs from the loop."
    expect_close(by_chunks(q, k, v, 6), want, message, _mistakes(q, k, v, 6))


@check_chunks.stage("What came before comes through the state", points=2)
def two_chunks(by_chunks: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (12, 3), (12, 3), (12, 2))
    want = weighed(q, k, v, causal=True)
    message = "With three chunks of 4 tokens it differs from the loop."
    expect_close(by_chunks(q, k, v, 4), want, message, _mistakes(q, k, v, 4))


@check_chunks.stage("The last chunk may be short, and a chunk may be longer than all")
def odd_lengths(by_chunks: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (11, 3), (11, 3), (11, 2))
    want = weighed(q, k, v, causal=True)
    left_out = want.copy()
    left_out[8:] = 0
    cause = "The last tokens were left out: 11 tokens are two chunks of 4 and one of 3."
    for chunk in (4, 64, 1):
        message = f"With 11 tokens and chunk={chunk} it differs from the loop."
        expect_close(by_chunks(q, k, v, chunk), want, message, [(left_out, cause)])


@check_chunks.stage(
    "A hundred thousand tokens",
    hint="The largest matrix should be (chunk, chunk): is there one of (T, T)?",
)
def long(by_chunks: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (100_000, 4), (100_000, 4), (100_000, 3))
    want = q[-1] @ (k.T @ v)
    got = np.asarray(by_chunks(q, k, v, 64))
    expect_close(got[-1], want, "The last token should hear all 100,000.")
