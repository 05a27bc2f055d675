"""Constructions that the battery walks, a line each."""

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import D_MODEL
from minitx.contracts.construction import Construction
from minitx.contracts.variants.register import register
from minitx.nn.module import Buffer


class TiltedMean(Construction):
    """Attention over a bag, keys = values = samples: E[x e^(q x)] / E[e^(q x)] over the bag."""

    def __init__(self, rng: np.random.Generator):
        self.queries = Buffer(0.3 * rng.standard_normal((1, 1, 4, D_MODEL)))

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        bag = F.expand_dims(x, 1)  # (B, 1, T, D)
        queries = F.broadcast_to(self.queries, (x.shape[0], 1, 4, D_MODEL))
        return F.squeeze(F.attention(queries, bag, bag, scale=1.0), 1)  # (B, 4, D)

    def oracle(self, x: np.ndarray) -> np.ndarray:
        tilts = np.exp(np.einsum("qd,btd->bqt", self.queries.numpy()[0, 0], x))
        return np.einsum("bqt,btd->bqd", tilts, x) / tilts.sum(-1, keepdims=True)


register(
    "construction",
    "attention as a tilted mean",
    "minitx.autograd.fused.attention:attention",
    TiltedMean,
)
