"""Page ``attention``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array

from . import Rng, as_the_solution, sizes


def attention(rng: Rng) -> tuple[Any, ...]:
    B, T, S, d, e = sizes(rng, 5)
    return rng.normal(size=(B, T, d)), rng.normal(size=(B, S, d)), rng.normal(size=(B, S, e))


def masks(rng: Rng) -> tuple[Any, ...]:
    B, T, d, e = sizes(rng, 4)
    q, k, v = (rng.normal(size=(B, T, width)) for width in (d, d, e))
    real = rng.random((B, T)) < 0.7
    return q, k, v, real


def heads(rng: Rng) -> tuple[Any, ...]:
    B, T, H, d = sizes(rng, 4)
    return (*(rng.normal(size=(B, T, H * d)) for _ in range(3)), H)


def previous_token(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any answer will do that looks one step back."""
    for T in sizes(rng, 3, 3, 60):
        got = answer(T)
        expect(isinstance(got, tuple | list) and len(got) == 2, "Return two arrays, q and k.")
        q, k = (expect_array(x) for x in got)
        expect(q.ndim == 2 and q.shape == k.shape and len(q) == T, f"Expected ({T}, d) twice.")
        scores = q @ k.T / np.sqrt(q.shape[1])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        back = weights[np.arange(1, T), np.arange(T - 1)]
        expect((back >= 0.99).all(), f"With T = {T} some query does not find the key before it.")


VARIANTS = {
    "attention": as_the_solution(attention),
    "masks": as_the_solution(masks),
    "heads": as_the_solution(heads),
    "previous_token": previous_token,
}
