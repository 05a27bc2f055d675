"""Page ``autograd``."""

from typing import Any

import numpy as np

from . import Rng, as_the_solution, sizes


def softmax_rule(rng: Rng) -> tuple[Any, ...]:
    B, V = sizes(rng, 2)
    return rng.normal(size=(B, V)), rng.dirichlet(np.ones(V), size=B)


def unbroadcast(rng: Rng) -> tuple[Any, ...]:
    a, b, c = sizes(rng, 3)
    shape = [(c,), (b, 1), (1, c), (a, 1, c), ()][rng.integers(5)]
    return rng.normal(size=(a, b, c)), shape


def reverse(rng: Rng) -> tuple[Any, ...]:
    """A graph at random: each node has the one before it as a parent, and any others."""
    (nodes,) = sizes(rng, 1, 4, 30)
    tape: list[list[tuple[int, float]]] = [[]]
    for i in range(1, nodes):
        parents = [i - 1, *map(int, rng.integers(0, i, rng.integers(0, 3)))]
        tape.append([(parent, float(rng.uniform(-2, 2))) for parent in parents])
    return (tape,)


VARIANTS = {
    "softmax_rule": as_the_solution(softmax_rule),
    "unbroadcast": as_the_solution(unbroadcast),
    "reverse": as_the_solution(reverse),
}
