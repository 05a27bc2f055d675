"""Page ``training``."""

from typing import Any

import numpy as np

from . import Rng, as_the_solution, sizes


def epoch(rng: Rng) -> tuple[Any, ...]:
    D, rows, count = sizes(rng, 3)
    batches = np.array_split(rng.permutation(rows * count), count)
    x, y = rng.normal(size=(rows * count, D)), rng.normal(size=rows * count)
    return rng.normal(size=D), x, y, batches, float(rng.uniform(0.01, 0.3))


def adamw(rng: Rng) -> tuple[Any, ...]:
    N, t = sizes(rng, 2)
    w, g, m = rng.normal(size=(3, N))
    return w, g, m, rng.random(N), t, float(rng.uniform(0.01, 0.5)), float(rng.uniform(0.01, 0.5))


def clip(rng: Rng) -> tuple[Any, ...]:
    a, b, c = sizes(rng, 3)
    gradients = [rng.normal(size=(a, b)), rng.normal(size=c)]
    return gradients, float(rng.choice([0.5, 1.5, 99.0]))


VARIANTS = {
    "epoch": as_the_solution(epoch),
    "adamw": as_the_solution(adamw),
    "clip": as_the_solution(clip),
}
