"""Page ``encoder_decoder``."""

from typing import Any

from . import Rng, as_the_solution, sizes


def cross_attention(rng: Rng) -> tuple[Any, ...]:
    B, T, S, D, d = sizes(rng, 5)
    weights = (rng.normal(size=(D, width)) for width in (d, d, d + 1))
    valid = rng.random((B, S)) < 0.7
    valid[:, 0] = True
    return rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D)), *weights, valid


VARIANTS = {"cross_attention": as_the_solution(cross_attention)}
