"""Ways to add an update to the stream: as it is, scaled, gated."""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor


class Scaled(nn.Module):
    """x + a u with one trained number a; with a = 0 at the start, ReZero.

    Source: Bachlechner et al., "ReZero is All You Need" (2021): alpha = scale.
    """

    def __init__(self, initial: float = 0.0):
        self.scale = nn.Parameter(np.array(initial))

    def forward(self, x: Tensor, update: Tensor) -> Tensor:
        return x + self.scale * update


class LayerScale(nn.Module):
    """x + g u with one trained number per feature, small at the start.

    Source: Touvron et al., "Going deeper with Image Transformers" (2021): lambda = scale.
    """

    def __init__(self, d_model: int, initial: float = 1e-4):
        self.scale = nn.Parameter(np.full(d_model, initial))

    def forward(self, x: Tensor, update: Tensor) -> Tensor:
        return x + self.scale * update


class Gate(nn.Module):
    """(1 - g) x + g u with g = sigmoid(W x + b): the stream decides how much it takes.

    A negative ``bias`` keeps the gate nearly closed at the start.

    Source: Srivastava et al., "Highway Networks" (2015): T = g.
    """

    def __init__(self, d_model: int, bias: float = -2.0, rng: Any = None):
        self.gate = nn.Linear(d_model, d_model, rng=backend.generator(rng))
        self.gate.bias.assign(np.full(d_model, bias))

    def forward(self, x: Tensor, update: Tensor) -> Tensor:
        gate = F.sigmoid(self.gate(x))
        return x + gate * (update - x)
