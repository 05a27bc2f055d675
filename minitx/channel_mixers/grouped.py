"""The grouped MLP: its second matrix is cut into blocks, at half the cost."""

import math
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.activations import ActivationFunction
from minitx.nn.activations import activation as find


class GroupedLinear(nn.Module):
    """y_g = W_g x_g + b_g: the features in ``groups`` groups, each with a matrix of its own.

    x (..., d_in) -> (..., d_out); weight (groups, d_out / groups, d_in / groups). The same as a
    Linear whose weight has these blocks on its diagonal and zeros elsewhere.
    Raises ValueError when the groups do not divide both widths.
    """

    def __init__(self, d_in: int, d_out: int, groups: int, rng: Any = None):
        if groups < 1 or d_in % groups or d_out % groups:
            raise ValueError(f"expected groups that divide {d_in} and {d_out}, got {groups}")
        rng, bound = backend.generator(rng), (d_in // groups) ** -0.5
        self.groups, self.d_in = groups, d_in
        shape = (groups, d_out // groups, d_in // groups)
        self.weight = nn.Parameter(rng.uniform(-bound, bound, shape))
        self.bias = nn.Parameter(np.zeros(d_out))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.d_in:
            raise ValueError(f"GroupedLinear expected (..., {self.d_in}), got {x.shape}")
        n = math.prod(x.shape[:-1])  # said, since -1 is no length when there are no tokens
        rows = F.reshape(x, (n, self.groups, self.d_in // self.groups))  # (N, G, d_in / G)
        y = F.swapaxes(rows, 0, 1) @ F.swapaxes(self.weight, 1, 2)  # (G, N, d_out / G)
        return F.reshape(F.swapaxes(y, 0, 1), (*x.shape[:-1], self.bias.shape[0])) + self.bias


class GroupedMLP(nn.Module):
    """A dense matrix up, an activation, a grouped matrix down: (1 + 1 / groups) / 2 of an MLP.

    x (B, T, D) -> (B, T, D). The dense matrix mixes the groups.

    Source: Chelombiev et al., "GroupBERT" (2021): G = groups.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        groups: int = 4,
        activation: str | ActivationFunction = "gelu",
        rng: Any = None,
    ):
        rng, d_ff = backend.generator(rng), d_ff or 4 * d_model
        self.up = nn.Linear(d_model, d_ff, rng=rng)
        self.down = GroupedLinear(d_ff, d_model, groups, rng=rng)
        self.activation = find(activation)

    def forward(self, x: Tensor, ctx: Any = None) -> Tensor:
        return self.down(self.activation(self.up(x)))
