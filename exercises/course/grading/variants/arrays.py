"""Page ``arrays``; the variance is a matter of rounding, which its check asks for by itself."""

from typing import Any

from . import Rng, as_the_solution, sizes


def distances(rng: Rng) -> tuple[Any, ...]:
    N, M, D = sizes(rng, 3)
    return rng.normal(size=(N, D)), rng.normal(size=(M, D))


def windows(rng: Rng) -> tuple[Any, ...]:
    width, more = sizes(rng, 2)
    return rng.normal(size=2 * (width + more))[::2], width


VARIANTS = {"distances": as_the_solution(distances), "windows": as_the_solution(windows)}
