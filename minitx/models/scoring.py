"""Scoring a context against candidates: apart (bi), together (cross), and almost apart (poly)."""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.models.encoder import Encoder, Pooling
from minitx.models.pooling import first_token
from minitx.models.sequence import read_valid


class BiEncoder(nn.Module):
    """score = context vector . candidate vector, each made without knowledge of the other.

    Source: Humeau et al., "Poly-encoders" (2020): T_1, T_2 = the encoders, red = pooling.
    """

    def __init__(self, contexts: Encoder, candidates: Encoder, pooling: Pooling = first_token):
        self.context_encoder, self.candidate_encoder = contexts, candidates
        self.pooling = pooling

    def contexts(self, ids: Any, valid: Any = None) -> Tensor:
        """One vector for each context: (B, T) -> (B, D)."""
        hidden = self.context_encoder(ids, valid)
        return self.pooling(hidden, read_valid(valid, np.shape(ids)))

    def candidates(self, ids: Any, valid: Any = None) -> Tensor:
        """One vector for each candidate, to be kept: (C, T) -> (C, D)."""
        hidden = self.candidate_encoder(ids, valid)
        return self.pooling(hidden, read_valid(valid, np.shape(ids)))

    def score(self, contexts: Tensor, candidates: Tensor) -> Tensor:
        """Every context with every candidate: (B, D), (C, D) -> (B, C)."""
        return contexts @ F.transpose(candidates)

    def loss(
        self,
        contexts: Any,
        candidates: Any,
        contexts_valid: Any = None,
        candidates_valid: Any = None,
    ) -> Tensor:
        """Candidate b belongs to context b; the others of the batch are the wrong ones."""
        scores = self.score(
            self.contexts(contexts, contexts_valid), self.candidates(candidates, candidates_valid)
        )
        return F.cross_entropy(scores, F.arange(scores.shape[0], like=scores))


class PolyEncoder(BiEncoder):
    """A context is summed up by m vectors, among which the candidate's vector then chooses.

    w_ij = softmax_j(c_i . h_j), y_i = sum_j w_ij h_j with m trained codes c_i; then
    u_i = softmax_i(candidate . y_i), score = candidate . sum_i u_i y_i.

    Source: Humeau et al., "Poly-encoders" (2020): m = codes, y_cand = the candidate's vector.
    """

    def __init__(
        self,
        contexts: Encoder,
        candidates: Encoder,
        codes: int,
        pooling: Pooling = first_token,
        rng: Any = None,
    ):
        super().__init__(contexts, candidates, pooling)
        d_model = contexts.tokens.weight.shape[1]
        rng = backend.generator(rng)
        self.codes = nn.Parameter(rng.standard_normal((codes, d_model)) * d_model**-0.5)

    def contexts(self, ids: Any, valid: Any = None) -> Tensor:
        """m vectors for each context: (B, T) -> (B, m, D)."""
        hidden = self.context_encoder(ids, valid)
        scores = self.codes @ F.swapaxes(hidden, 1, 2)  # (B, m, T)
        there = read_valid(valid, np.shape(ids))
        if there is not None:
            scores = F.where(there[:, None], scores, float("-inf"))
        return F.softmax(scores) @ hidden

    def score(self, contexts: Tensor, candidates: Tensor) -> Tensor:
        """Every context with every candidate: (B, m, D), (C, D) -> (B, C)."""
        products = contexts @ F.transpose(candidates)  # (B, m, C)
        return F.sum(F.softmax(products, axis=1) * products, axis=1)


class CrossEncoder(nn.Module):
    """Context and candidate read as one text, (N, T) -> scores (N,): exact, and cannot be kept.

    Source: Humeau et al., "Poly-encoders" (2020).
    """

    def __init__(self, encoder: Encoder, pooling: Pooling = first_token, rng: Any = None):
        self.encoder, self.pooling = encoder, pooling
        d_model = encoder.tokens.weight.shape[1]
        self.head = nn.Linear(d_model, 1, rng=backend.generator(rng))

    def forward(self, ids: Any, valid: Any = None, segments: Any = None) -> Tensor:
        hidden = self.encoder(ids, valid, segments)
        there = read_valid(valid, np.shape(ids))
        return F.squeeze(self.head(self.pooling(hidden, there)), -1)

    def loss(self, ids: Any, valid: Any = None, segments: Any = None) -> Tensor:
        """ids (B, C, T), the right candidate first: mean cross-entropy among the C."""
        b, c, t = np.shape(ids)
        flat = [None if x is None else np.reshape(x, (b * c, t)) for x in (ids, valid, segments)]
        scores = F.reshape(self(*flat), (b, c))
        return F.cross_entropy(scores, np.zeros(b, np.int64))
