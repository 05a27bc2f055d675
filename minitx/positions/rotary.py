"""Rotary positions: queries and keys are turned by an angle that grows with the place.

Two vectors turned by t w and s w have a product that depends on t - s alone, so absolute turns
give relative positions.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.primitive import primitive
from minitx.autograd.tensor import Tensor
from minitx.positions.hooks import Hooks

Scaling = Callable[[np.ndarray], np.ndarray]


def rotary_frequencies(d: int, base: float = 10000.0) -> np.ndarray:
    """w_i = base^(-2i / d) for i = 0 ... d/2 - 1, in radians per place."""
    if d % 2:
        raise ValueError(f"rotary expected an even width, got {d}")
    return base ** (-np.arange(0, d, 2, dtype=np.float64) / d)


def _turn(xp, x, cos, sin):
    half = cos.shape[-1]
    y = xp.empty(x.shape, x.dtype)
    a, b = x[..., :half], x[..., half : 2 * half]
    y[..., :half] = a * cos - b * sin
    y[..., half : 2 * half] = a * sin + b * cos
    y[..., 2 * half :] = x[..., 2 * half :]
    return y


# A turn is linear, and its transpose is the turn back.
rotary_ = primitive(
    "rotary",
    _turn,
    vjp=lambda F, g, y, x, cos, sin: F.rotary(g, cos=cos, sin=-sin),
    kind="linear",
    saves="nothing",
)


def rotary(x: Tensor, cos: Any, sin: Any) -> Tensor:
    """Turn the pairs (x_i, x_{i + d/2}) of the last axis by the angles given.

    x (..., T, d'); cos and sin are arrays (..., T, d / 2) with d <= d'; the last d' - d numbers
    of x stay as they are.
    """
    return rotary_(x, cos=cos, sin=sin)


class Rotary(Hooks):
    """Rotary positions for heads of width d_head.

    width: how many of the d_head numbers are turned (all); the others carry no position.
    scaling: changes the frequencies for texts longer than those trained on, see below.
    With p coordinates each turns its own part of the width (axial rotary).

    Source: Su et al., "RoFormer" (2021): theta_i = w_i, m = t; pairs are (i, i + d/2), as in
    Llama's published weights, not (2i, 2i + 1).
    """

    def __init__(
        self,
        d_head: int,
        base: float = 10000.0,
        width: int | None = None,
        scaling: Scaling | None = None,
        axes: int = 1,
    ):
        self.width, self.axes = width or d_head, axes
        if self.width > d_head or self.width % (2 * axes):
            raise ValueError(
                f"Rotary expected a width up to {d_head} divisible by {2 * axes}, got {self.width}"
            )
        frequencies = rotary_frequencies(self.width // axes, base)
        self.frequencies = frequencies if scaling is None else scaling(frequencies)
        self._last: tuple = (None, None, None, None)

    def queries_and_keys(self, q, k, coords_q, coords_k):
        turned = rotary(q, *self._angles(coords_q, q))
        return turned, rotary(k, *self._angles(coords_k, k))

    def _angles(self, coords: Any, like: Tensor) -> tuple[Any, Any]:
        """cos and sin of the angles, (B or 1, 1, T, width / 2); the last ones are kept."""
        known, dtype, cos, sin = self._last
        if known is coords and dtype == like.dtype:
            return cos, sin
        if coords.shape[-1] != self.axes:
            raise ValueError(f"Rotary expected {self.axes} coordinates, got {coords.shape[-1]}")
        xp = backend.namespace(coords)
        angles = coords[..., None] * xp.asarray(self.frequencies)  # (B, T, p, width / 2p)
        angles = angles.reshape(coords.shape[0], 1, coords.shape[1], self.width // 2)
        cos, sin = xp.cos(angles).astype(like.dtype), xp.sin(angles).astype(like.dtype)
        self._last = (coords, like.dtype, cos, sin)
        return cos, sin


def linear_scaling(factor: float) -> Scaling:
    """Places divided by ``factor``: every frequency is.

    Source: Chen et al., "Extending Context Window of Large Language Models via Positional
    Interpolation" (2023).
    """
    return lambda frequencies: frequencies / factor


def ntk_scaling(factor: float) -> Scaling:
    """A larger base: the slowest frequency is divided by ``factor``, the fastest stays.

    w_i -> w_i factor^(-i / (n - 1)) for n frequencies; the same as base factor^(d / (d - 2)).

    Source: Peng et al., "YaRN" (2023), section 3.1: s = factor.
    """

    def scale(frequencies: np.ndarray) -> np.ndarray:
        n = len(frequencies)
        return frequencies * factor ** (-np.arange(n) / max(n - 1, 1))

    return scale


def banded_scaling(
    factor: float, trained_length: int, low: float = 1.0, high: float = 4.0
) -> Scaling:
    """Slow frequencies divided by ``factor``, fast ones kept, those between mixed.

    A frequency that turns r times over the trained length is slow for r <= low and fast for
    r >= high; between, the share of the fast grows linearly in r. This is what Llama 3.1 does.

    Source: Peng et al., "YaRN" (2023), section 3.2 (by parts): alpha = low, beta = high,
    s = factor, L = trained_length.
    """

    def scale(frequencies: np.ndarray) -> np.ndarray:
        turns = trained_length * frequencies / (2 * math.pi)
        kept = np.clip((turns - low) / (high - low), 0, 1)
        return kept * frequencies + (1 - kept) * frequencies / factor

    return scale
