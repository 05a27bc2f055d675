"""Page ``start``."""

from typing import Any

from . import Rng, as_the_solution, sizes


def bits(rng: Rng) -> tuple[Any, ...]:
    (T,) = sizes(rng, 1, 2, 60)
    return (10.0 ** -rng.uniform(0, 30, T),)


def temperature(rng: Rng) -> tuple[Any, ...]:
    B, V = sizes(rng, 2)
    scale = 10.0 ** rng.integers(0, 4, (B, 1))
    return scale * rng.normal(size=(B, V)), float(rng.uniform(0.3, 3))


VARIANTS = {"bits": as_the_solution(bits), "temperature": as_the_solution(temperature)}
