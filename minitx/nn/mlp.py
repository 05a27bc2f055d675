"""MLP: affine maps with an activation between them, of any depth."""

from itertools import pairwise
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor
from minitx.nn.activations import ActivationFunction
from minitx.nn.activations import activation as find
from minitx.nn.linear import Linear
from minitx.nn.module import Module


class MLP(Module):
    """W_n act(... act(W_1 x + b_1) ...) + b_n.

    ``MLP(3, 64, 64, 1)`` maps (..., 3) to (..., 1) by way of two layers of 64. There is no
    activation after the last map. Raises ValueError for fewer than two widths. (The channel mixer
    of a transformer, with d_ff between two equal widths, is ``channel_mixers.MLP``.)
    """

    def __init__(
        self, *widths: int, activation: str | ActivationFunction = "relu", rng: Any = None
    ):
        if len(widths) < 2:
            raise ValueError(f"MLP expected two widths or more, got {widths}")
        rng = backend.generator(rng)
        self.layers = [Linear(before, after, rng=rng) for before, after in pairwise(widths)]
        self.activation = find(activation)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)
