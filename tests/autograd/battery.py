"""What the gradient tests share: random arguments, and the proof that a rule is right."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.graph import reachable
from minitx.autograd.tree import flatten

# Every two of these that NumPy can broadcast are tried together. Lengths other than 0 and 1 differ.
SHAPES = [(), (1,), (3,), (0,), (2, 1), (1, 3), (2, 3), (2, 0), (5, 1, 3), (5, 2, 1), (1, 1, 1)]


def pairs() -> list[tuple[tuple, tuple]]:
    """All pairs of SHAPES that can be broadcast together."""
    found = []
    for left in SHAPES:
        for right in SHAPES:
            try:
                np.broadcast_shapes(left, right)
            except ValueError:
                continue
            found.append((left, right))
    return found


def real(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Tensor:
    """Float64 numbers between ``low`` and ``high``."""
    rng = np.random.default_rng([seed, *shape])
    return Tensor(rng.uniform(low, high, shape), dtype=np.float64)


def nonzero(*shape: int, seed: int = 0) -> Tensor:
    """Float64 numbers of both signs, not nearer to 0 than a half."""
    rng = np.random.default_rng([seed, *shape])
    return Tensor(rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape), dtype=np.float64)


def cplx(*shape: int, seed: int = 0) -> Tensor:
    """Complex128 numbers of a modulus between 0.5 and 1.5, off the negative real axis."""
    rng = np.random.default_rng([seed, *shape])
    phase = rng.uniform(-2.5, 2.5, shape)
    return Tensor(rng.uniform(0.5, 1.5, shape) * np.exp(1j * phase), dtype=np.complex128)


def distinct(*shape: int, seed: int = 0) -> Tensor:
    """Float64 numbers of which no two are nearer than 0.1: no ties, no kinks."""
    rng = np.random.default_rng([seed, *shape])
    count = int(np.prod(shape))
    return Tensor(0.1 * rng.permutation(count).reshape(shape) - 0.053 * count, dtype=np.float64)


def names_in(result: Any) -> set[str]:
    """The names of all primitives in the graph that leads to ``result``."""
    nodes = [out.node for out in flatten(result)[0] if isinstance(out, Tensor) and out.node]
    return {node.primitive.name for node in reachable(nodes) if node.primitive is not None}


def prove(name: str, function: Callable, *args: Tensor, **options: Any) -> None:
    """The derivatives of ``function`` are right, and the primitive ``name`` is part of it."""
    tracked = [Tensor(x, requires_grad=True) for x in args]
    assert name in names_in(function(*tracked)), f"{name} is not in the graph of its own case"
    check_grads(function, *args, **options)
