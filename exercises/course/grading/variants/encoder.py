"""Page ``encoder``."""

from typing import Any

from . import Rng, as_the_solution, sizes


def masked_loss(rng: Rng) -> tuple[Any, ...]:
    B, T, V = sizes(rng, 3)
    hidden = rng.random((B, T)) < 0.4
    hidden[0, 0] = True
    return rng.normal(size=(B, T, V)), rng.integers(V, size=(B, T)), hidden


def poly_scores(rng: Rng) -> tuple[Any, ...]:
    B, T, D, m, C = sizes(rng, 5)
    return rng.normal(size=(B, T, D)), rng.normal(size=(m, D)), rng.normal(size=(C, D))


VARIANTS = {
    "masked_loss": as_the_solution(masked_loss),
    "poly_scores": as_the_solution(poly_scores),
}
