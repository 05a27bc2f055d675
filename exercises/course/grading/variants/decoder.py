"""Page ``decoder``."""

from typing import Any

import numpy as np

from . import Rng, as_the_solution, sizes


def loss(rng: Rng) -> tuple[Any, ...]:
    T, V = sizes(rng, 2)
    return 3 * rng.normal(size=(T, V)), rng.integers(V, size=T)


def top_p(rng: Rng) -> tuple[Any, ...]:
    (V,) = sizes(rng, 1, 3, 40)
    return rng.dirichlet(np.ones(V)), float(rng.uniform(0.2, 0.95))


VARIANTS = {"loss": as_the_solution(loss), "top_p": as_the_solution(top_p)}
