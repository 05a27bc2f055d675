"""Small changes to attention that are no positions: QK-norm, soft-capping, dropout, sinks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.positions.hooks import Hooks


class QKNorm(Hooks):
    """Queries and keys normalised, head by head, before they meet: scores cannot explode.

    ``norm`` makes a norm of width d_head, ``lambda: nn.RMSNorm(d_head)``; one for q and one for k.

    Source: Henry et al., "Query-Key Normalization for Transformers" (2020); with trained norms,
    Dehghani et al., "Scaling Vision Transformers to 22 Billion Parameters" (2023).
    """

    def __init__(self, norm: Callable[[], nn.Module]):
        self.norm_q, self.norm_k = norm(), norm()

    def queries_and_keys(self, q, k, coords_q, coords_k):
        return self.norm_q(q), self.norm_k(k)


class SoftCap(Hooks):
    """c tanh(score / c): scores stay between -c and c.

    Source: Gemma Team, "Gemma 2" (2024).
    """

    def __init__(self, cap: float):
        if not cap > 0:
            raise ValueError(f"SoftCap expected a cap above 0, got {cap}")
        self.cap = cap

    def scores(self, scores, q, k, coords_q, coords_k):
        return self.cap * F.tanh(scores / self.cap)


class WeightDropout(Hooks):
    """Dropout on the attention weights, in training."""

    def __init__(self, rate: float, rng: Any = None):
        self.dropout = nn.Dropout(rate, rng=backend.generator(rng))
        self.rate = rate

    def weights(self, weights, coords_q, coords_k):
        return self.dropout(weights)

    def keeps_softmax(self) -> bool:
        return not self.training or not self.rate


class SinkSoftmax(nn.Module):
    """A softmax with one more place, to which no value belongs: heads can attend to nothing.

    w_j = exp(s_j) / (exp(b_h) + sum_i exp(s_i)) with a trained b_h for each head. The ``normalise``
    of an attention; scores (B, H, T, S) -> weights whose rows add up to less than 1.

    Source: Xiao et al., "Efficient Streaming Language Models with Attention Sinks" (2024); the
    trained score: OpenAI, "gpt-oss" (2025).
    """

    def __init__(self, num_heads: int):
        self.sink = nn.Parameter(np.zeros((num_heads, 1, 1)))

    def forward(self, scores: Tensor) -> Tensor:
        sink = F.broadcast_to(F.astype(self.sink, scores.dtype), (*scores.shape[:-1], 1))
        return F.softmax(F.concatenate([scores, sink], axis=-1))[..., :-1]
