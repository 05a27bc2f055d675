"""Absolute positions: a vector for each place, added to the tokens at the input."""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.positions.hooks import Hooks


def sinusoidal(coords: Any, d_model: int, base: float = 10000.0) -> Any:
    """sin(t w_i) and cos(t w_i) side by side, with w_i = base^(-2i / d_model).

    coords: an array (B, T) -> an array (B, T, d_model), float64.
    Raises ValueError for an odd d_model.

    Source: Vaswani et al., "Attention Is All You Need" (2017): pos = coords.
    """
    if d_model % 2:
        raise ValueError(f"sinusoidal expected an even d_model, got {d_model}")
    xp = backend.namespace(coords)
    frequencies = base ** (-xp.arange(0, d_model, 2, dtype=xp.float64) / d_model)
    angles = coords[..., None] * frequencies  # (B, T, D / 2)
    return xp.stack([xp.sin(angles), xp.cos(angles)], axis=-1).reshape(*coords.shape, d_model)


class Sinusoidal(Hooks):
    """x + the sinusoids of the place, for any coordinate, whole or not."""

    def __init__(self, d_model: int, base: float = 10000.0):
        self.d_model, self.base = d_model, base

    def input(self, x: Tensor, coords: Any) -> Tensor:
        waves = sinusoidal(coords[..., 0], self.d_model, self.base)
        return x + wrap(waves.astype(x.dtype), None)


class Learned(Hooks):
    """x + a trained vector for each of the places 0 ... max_length - 1.

    Raises ValueError for a coordinate that has no vector: a learned position cannot go further.

    Source: Gehring et al., "Convolutional Sequence to Sequence Learning" (2017).
    """

    def __init__(self, max_length: int, d_model: int, rng: Any = None):
        drawn = backend.generator(rng).standard_normal((max_length, d_model))
        self.weight = nn.Parameter(0.02 * drawn)

    def input(self, x: Tensor, coords: Any) -> Tensor:
        places = coords[..., 0]
        longest = self.weight.shape[0]
        readable = places.size and backend.may_be_read(places)
        if readable and (places.min() < 0 or places.max() >= longest):
            raise ValueError(
                f"this model knows positions 0 to {longest - 1}, "
                f"got {int(places.min())} to {int(places.max())}"
            )
        return x + F.embedding(self.weight, wrap(places.astype(np.int64), None))


class NoPosition(Hooks):
    """No position: what a causal mask alone tells is all there is.

    Source: Haviv et al., "Transformer Language Models without Positional Encodings Still Learn
    Positional Information" (2022).
    """
