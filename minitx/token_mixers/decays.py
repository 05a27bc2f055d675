"""Decays: how much of what was said a step keeps, for each head.

A decay is called with the tokens x (B, T, D) and gives the logarithm of what is kept, at most 0,
as it enters ``linear_attention``: (B, H, T), or (H, 1) where it is the same for all of them.
"""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor


class FixedDecay(nn.Module):
    """log gamma_h with gamma_h = 1 - 2^(-5 - h): head 0 remembers some 32 tokens, head 1 64, ...

    Source: Sun et al., "Retentive Network" (2023), where heads are counted from 0.
    """

    def __init__(self, num_heads: int):
        self.log_decay = nn.Buffer(np.log1p(-(2.0 ** (-5.0 - np.arange(num_heads))))[:, None])

    def forward(self, x: Tensor) -> Tensor:
        return self.log_decay


class GatedDecay(nn.Module):
    """log sigmoid(W x + b) / temperature: each token says how much of the past each head keeps.

    x (B, T, D) -> (B, H, T).

    Source: Yang et al., "Gated Linear Attention Transformers" (2024), with one gate for a head
    instead of one for a channel: tau = temperature.
    """

    def __init__(self, d_model: int, num_heads: int, temperature: float = 16.0, rng: Any = None):
        self.gate = nn.Linear(d_model, num_heads, rng=backend.generator(rng))
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        return F.swapaxes(F.softplus(-self.gate(x)), 1, 2) / -self.temperature  # (B, H, T)
