"""sigma-MoE: many small experts, of which a token takes K, each by a gate of its own."""

import math
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.experts import Chooser, Experts, leave_choice


class SigmaMoE(nn.Module):
    """y = sum over the K best experts e of s_e relu(x W_e) V_e, with s = sigmoid(W_s x); no biases.

    x (B, T, D) -> (B, T, D). The experts are ``d_expert`` wide; only those that a token takes are
    computed for it. Within ``PeriNorm`` the scores are those of the normed x, the experts hear x
    itself. ``balance`` is the weight of the loss that spreads the choices (see ``Group``).
    Raises ValueError for a ``top`` K that is not between 1 and ``num_experts``.

    Source: Csordas et al., "Approximating Two-Layer Feedforward Networks for Efficient
    Transformers" (2023) and "MoEUT" (2024): N_E = num_experts, K = top, G = d_expert.
    """

    def __init__(
        self,
        d_model: int,
        d_expert: int,
        num_experts: int,
        top: int,
        balance: float = 0.01,
        rng: Any = None,
    ):
        rng, self.balance = backend.generator(rng), balance
        self.choose = Chooser(d_model, num_experts, top, rng=rng)
        self.up = Experts(num_experts, d_model, d_expert, rng=rng)
        self.down = Experts(num_experts, d_expert, d_model, rng=rng)

    def forward(self, x: Tensor, ctx: Any = None) -> Tensor:
        normed = x if ctx is None else ctx.shared.get("normed", x)
        index, gates, logits = self.choose(normed)  # (B, T, 1, K)
        leave_choice(ctx, self, logits, self.balance)
        n, k, d = math.prod(x.shape[:-1]), self.choose.top, x.shape[-1]
        h = F.relu(self.up(F.reshape(x, (n, d)), index.reshape(n, k)))  # (N, K, G)
        h = h * F.reshape(gates, (n, k, 1))
        rows = F.reshape(h, (n * k, h.shape[-1]))
        y = self.down(rows, index.reshape(n * k, 1))  # (N K, 1, D)
        return F.reshape(F.sum(F.reshape(y, (n, k, d)), axis=1), x.shape)
