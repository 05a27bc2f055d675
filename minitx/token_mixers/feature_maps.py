"""Feature maps: what replaces exp(q . k) by phi(q) . phi(k), so that sums can be taken first.

A feature map takes queries and keys (B, H, T, d) to features (B, H, T, m). Where the features are
divided by their sum they should be positive; ``relu`` of ``functional`` is a feature map too.
"""

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor


def elu_plus_one(x: Tensor) -> Tensor:
    """elu(x) + 1: x + 1 above 0, exp(x) below; positive, and with a slope everywhere.

    Source: Katharopoulos et al., "Transformers are RNNs" (2020): phi.
    """
    return F.maximum(x, 0) + F.exp(F.minimum(x, 0))


class LearnedReLU(nn.Module):
    """relu(W_h x + b_h), for each head h its own; W_h starts at the identity and b_h at 0.

    x (B, H, T, d) -> (B, H, T, d). Queries and keys go through the same map.

    Source: Kasai et al., "Finetuning Pretrained Transformers into RNNs" (2021); Mercat et al.,
    "Linearizing Large Language Models" (2024): W_phi = weight, b_phi = bias.
    """

    def __init__(self, num_heads: int, d_head: int):
        self.weight = nn.Parameter(np.tile(np.eye(d_head), (num_heads, 1, 1)))  # (H, d, d)
        self.bias = nn.Parameter(np.zeros((num_heads, 1, d_head)))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x @ F.swapaxes(self.weight, -1, -2) + self.bias)
