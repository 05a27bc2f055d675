"""Page ``positions``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array, same

from . import Rng, as_the_solution, sizes


def rotary(rng: Rng) -> tuple[Any, ...]:
    B, T, half = sizes(rng, 3)
    return rng.normal(size=(B, T, 2 * half)), rng.uniform(-99, 999, T)


def distances(rng: Rng) -> tuple[Any, ...]:
    T, d, reach = sizes(rng, 3)
    return rng.normal(size=(T, d)), rng.normal(size=(2 * reach + 1, d)), reach


def multiplier(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any factors will do that give the target."""
    for T in sizes(rng, 3, 2, 30):
        target = rng.normal(size=T)
        factors = expect_array(answer(target.copy()), (2 * T - 1,))
        places = np.arange(T)
        made = factors[places - places[:, None] + T - 1].sum(axis=1) / T
        expect(same(made, target), f"With T = {T} the outputs are not the target.")


VARIANTS = {
    "rotary": as_the_solution(rotary),
    "distances": as_the_solution(distances),
    "multiplier": multiplier,
}
