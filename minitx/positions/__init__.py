"""Positions: where is a token? The slot's ideas, one a file, all of them ``Hooks``.

A position changes the input, the queries and keys, the scores, the weights or the values.
"""

from minitx.positions.absolute import Learned, NoPosition, Sinusoidal, sinusoidal
from minitx.positions.hooks import Hooks
from minitx.positions.relative import URPE, ALiBi, Shaw, T5Bias
from minitx.positions.rotary import (
    Rotary,
    banded_scaling,
    linear_scaling,
    ntk_scaling,
    rotary,
    rotary_frequencies,
)
from minitx.positions.transformer_xl import TransformerXL, relative_shift

__all__ = [
    "ALiBi",
    "Hooks",
    "Learned",
    "NoPosition",
    "Rotary",
    "Shaw",
    "Sinusoidal",
    "T5Bias",
    "TransformerXL",
    "URPE",
    "banded_scaling",
    "linear_scaling",
    "ntk_scaling",
    "relative_shift",
    "rotary",
    "rotary_frequencies",
    "sinusoidal",
]
