"""Initialisers: the numbers that weights start from.

Each is called as ``initialiser(rng, shape)`` and returns a NumPy array; ``rng`` is a generator.
A weight is (outputs, inputs) or (outputs, inputs, *kernel), so fan_in = inputs * kernel entries and
fan_out = outputs * kernel entries.
"""

import math
from collections.abc import Sequence

import numpy as np

Generator = np.random.Generator
Shape = Sequence[int]


def zeros(rng: Generator | None, shape: Shape) -> np.ndarray:
    """All 0. It draws nothing."""
    return np.zeros(shape)


def ones(rng: Generator | None, shape: Shape) -> np.ndarray:
    """All 1. It draws nothing."""
    return np.ones(shape)


def identity(rng: Generator | None, shape: Shape) -> np.ndarray:
    """1 where output = input, at the middle of the kernel; 0 elsewhere: passes its input on."""
    weight = np.zeros(shape)
    n = min(fans(shape, raw=True))
    middle = tuple(length // 2 for length in shape[2:])
    weight[(np.arange(n), np.arange(n), *middle)] = 1
    return weight


def normal(rng: Generator, shape: Shape, std: float = 1.0) -> np.ndarray:
    """N(0, std^2)."""
    return std * rng.standard_normal(shape)


def uniform(rng: Generator, shape: Shape, bound: float = 1.0) -> np.ndarray:
    """U(-bound, bound)."""
    return rng.uniform(-bound, bound, shape)


def truncated_normal(
    rng: Generator, shape: Shape, std: float = 1.0, cut: float = 2.0
) -> np.ndarray:
    """N(0, std^2) given |w| <= cut std: what falls outside is drawn again.

    (``cut`` counts deviations; PyTorch's ``a`` and ``b`` are the limits themselves.)
    Raises ValueError unless cut > 0.
    """
    if not cut > 0:
        raise ValueError(f"truncated_normal expected cut > 0, got {cut}")
    weight = rng.standard_normal(shape)
    while (outside := np.abs(weight) > cut).any():
        weight[outside] = rng.standard_normal(int(outside.sum()))
    return std * weight


def xavier_uniform(rng: Generator, shape: Shape, gain: float = 1.0) -> np.ndarray:
    """U(-a, a) of variance gain^2 * 2 / (fan_in + fan_out): sizes keep both ways.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010).
    """
    return uniform(rng, shape, math.sqrt(3) * _xavier(shape, gain))


def xavier_normal(rng: Generator, shape: Shape, gain: float = 1.0) -> np.ndarray:
    """N of variance gain^2 * 2 / (fan_in + fan_out). Source: as ``xavier_uniform``."""
    return normal(rng, shape, _xavier(shape, gain))


def kaiming_uniform(rng: Generator, shape: Shape, gain: float = math.sqrt(2)) -> np.ndarray:
    """U(-a, a) of variance gain^2 / fan_in: sizes keep forwards; sqrt(2) is the gain for ReLU.

    Source: He et al., "Delving Deep into Rectifiers" (2015).
    """
    return uniform(rng, shape, math.sqrt(3) * _kaiming(shape, gain))


def kaiming_normal(rng: Generator, shape: Shape, gain: float = math.sqrt(2)) -> np.ndarray:
    """N of variance gain^2 / fan_in. Source: as ``kaiming_uniform``."""
    return normal(rng, shape, _kaiming(shape, gain))


def orthogonal(rng: Generator, shape: Shape, gain: float = 1.0) -> np.ndarray:
    """gain Q with orthonormal rows or columns, whichever are fewer; axes after the first as one.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks" (2013).
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))  # without it QR prefers some rotations to others
    return gain * (q if rows >= columns else q.T).reshape(shape)


def fans(shape: Shape, raw: bool = False) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight; ``raw`` leaves the kernel out.

    Raises ValueError for a shape of fewer than two axes.
    """
    if len(shape) < 2:
        raise ValueError(f"expected a weight (outputs, inputs, ...), got shape {tuple(shape)}")
    kernel = 1 if raw else math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def _xavier(shape: Shape, gain: float) -> float:
    return gain * math.sqrt(2 / max(sum(fans(shape)), 1))


def _kaiming(shape: Shape, gain: float) -> float:
    return gain / math.sqrt(max(fans(shape)[0], 1))
