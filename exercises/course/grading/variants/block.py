"""Page ``block``."""

from typing import Any

import numpy as np

from . import Rng, as_the_solution, sizes


def layer_norm(rng: Rng) -> tuple[Any, ...]:
    B, T, D = sizes(rng, 3, 3)
    weight, bias = rng.normal(size=D), rng.normal(size=D)
    return 2 + 3 * rng.normal(size=(B, T, D)), weight, bias, float(rng.uniform(0.01, 1))


def pre_norm(rng: Rng) -> tuple[Any, ...]:
    T, D = sizes(rng, 2)
    mixing, up, shift = rng.normal(size=(T, T)), rng.normal(size=(D, D)), rng.normal(size=D)
    parts = (lambda x: mixing @ x, lambda x: np.tanh(x @ up), lambda x: x * shift + 1)
    return rng.normal(size=(T, D)), *parts


VARIANTS = {"layer_norm": as_the_solution(layer_norm), "pre_norm": as_the_solution(pre_norm)}
