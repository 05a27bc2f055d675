"""Objectives that the battery walks, a line each."""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.contracts.battery import D_MODEL
from minitx.contracts.objective import Asked, Reader
from minitx.contracts.variants.register import register
from minitx.models.encoder import MaskedLM
from minitx.models.multi_sentence import BesidePivot, MultiSentence
from minitx.models.pooling import mean_pool
from minitx.models.scoring import BiEncoder


class FromThisParagraph(Asked):
    """Every token of x is a candidate: a start, which stands for it, and the token."""

    def __init__(self, rng: np.random.Generator):
        super().__init__(MultiSentence(Reader(rng), BesidePivot(D_MODEL, 1, rng=rng)))
        self.start_and_pivot = nn.Parameter(rng.standard_normal((2, D_MODEL)))

    def truth(self, x: Tensor, seed: int = 0) -> Any:
        return self.drawn(x, seed) < 0.5

    def loss(self, x: Tensor, truth: Any) -> Tensor:
        ids = self.model.encoder.take(x) + 2
        said = np.concatenate([np.ones((len(ids), 1), np.int64), ids], axis=1)  # (B, k + 1)
        rows = F.concatenate([self.start_and_pivot, self.model.encoder.vectors], axis=0)
        self.model.encoder.vectors = rows
        return self.model.loss(np.stack([np.zeros_like(said), said], axis=-1), truth)


class HiddenTokens(Asked):
    """Every second token of x counts as hidden."""

    def __init__(self, rng: np.random.Generator):
        super().__init__(MaskedLM(Reader(rng), rng=rng))

    def truth(self, x: Tensor, seed: int = 0) -> Any:
        return (self.drawn(x, seed) * D_MODEL).astype(np.int64)

    def loss(self, x: Tensor, truth: Any) -> Tensor:
        xp = backend.namespace(x.data)
        hidden = xp.broadcast_to(xp.arange(x.shape[1]) % 2 == 0, x.shape[:2])
        return self.model.loss(self.model.encoder.take(x), truth, hidden)


class RightOneOfTheBatch(Asked):
    """Candidates are single tokens, one for each row of x."""

    def __init__(self, rng: np.random.Generator):
        super().__init__(BiEncoder(Reader(rng), Reader(rng), mean_pool))

    def truth(self, x: Tensor, seed: int = 0) -> Any:
        return self.chances.data[1 - seed, : x.shape[0], :D_MODEL] * 4 - 2

    def loss(self, x: Tensor, truth: Any) -> Tensor:
        contexts, candidates = self.model.context_encoder, self.model.candidate_encoder
        said = candidates.take(F.expand_dims(Tensor(truth, dtype=x.dtype), 1))
        return self.model.loss(contexts.take(x), said)


register(
    "objective",
    "is it from this paragraph?",
    "minitx.models.multi_sentence:MultiSentence",
    FromThisParagraph,
    "mean_of_rows",
)
register(
    "objective",
    "hidden tokens",
    "minitx.models.encoder:MaskedLM",
    HiddenTokens,
    "mean_of_rows",
)
register(
    "objective", "the right one of a batch", "minitx.models.scoring:BiEncoder", RightOneOfTheBatch
)
