"""A sentence read together with several candidates, and the heads that judge them.

Sentences have one length m, the first token of each stands for it; heads take their vectors
(B, k + 1, D), the pivot's first, to logits of each candidate or of all together.
"""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.models.encoder import Encoder
from minitx.models.sequence import read_ids


class SentenceHead(nn.Module):
    """What the heads share: Linear, tanh, Linear, for vectors of width ``d_in``."""

    def __init__(self, d_in: int, d_model: int, classes: int, rng: Any = None):
        rng = backend.generator(rng)
        self.hidden = nn.Linear(d_in, d_model, rng=rng)
        self.out = nn.Linear(d_model, classes, rng=rng)

    def judge(self, vectors: Tensor) -> Tensor:
        """The logits (..., classes) of vectors (..., d_in)."""
        return self.out(F.tanh(self.hidden(vectors)))


class EachCandidate(SentenceHead):
    """Each candidate by its own vector: (B, k + 1, D) -> (B, k, classes).

    Source: Di Liello et al., "Paragraph-based Transformer Pre-training" (2022): IE_k.
    """

    def __init__(self, d_model: int, classes: int, rng: Any = None):
        super().__init__(d_model, d_model, classes, rng)

    def forward(self, sentences: Tensor) -> Tensor:
        return self.judge(sentences[:, 1:])


class BesidePivot(SentenceHead):
    """Each candidate's vector beside the pivot's: (B, k + 1, D) -> (B, k, classes).

    Source: Di Liello et al., "Paragraph-based Transformer Pre-training" (2022): AE_k.
    """

    def __init__(self, d_model: int, classes: int, rng: Any = None):
        super().__init__(2 * d_model, d_model, classes, rng)

    def forward(self, sentences: Tensor) -> Tensor:
        candidates = sentences[:, 1:]
        pivot = F.broadcast_to(sentences[:, :1], candidates.shape)
        return self.judge(F.concatenate([pivot, candidates], axis=-1))  # (B, k, classes)


class PivotAlone(EachCandidate):
    """One answer for all, from the pivot's vector: (B, k + 1, D) -> (B, classes).

    Source: Di Liello et al., "Paragraph-based Transformer Pre-training" (2022): IE_1.
    """

    def forward(self, sentences: Tensor) -> Tensor:
        return self.judge(sentences[:, 0])


class SumOfAll(EachCandidate):
    """One answer for all, from the sum of their vectors: (B, k + 1, D) -> (B, classes).

    Source: Di Liello et al., "Paragraph-based Transformer Pre-training" (2022): AE_1.
    """

    def forward(self, sentences: Tensor) -> Tensor:
        return self.judge(F.sum(sentences, axis=1))


class MultiSentence(nn.Module):
    """A pivot and k candidates in one text, each with a segment of its own: ids (B, k + 1, m).

    Every token hears all sentences. With k = 1 it is a cross-encoder.

    Source: Di Liello et al., "Paragraph-based Transformer Pre-training" (2022).
    """

    def __init__(self, encoder: Encoder, head: nn.Module):
        self.encoder, self.head = encoder, head

    def hidden(self, ids: Any) -> Tensor:
        """The vectors of all tokens: (B, (k + 1) m, D)."""
        b, sentences, m = np.shape(ids)
        whole = read_ids(ids.reshape(b, sentences * m))
        xp = backend.namespace(whole)
        segments = xp.broadcast_to(xp.repeat(xp.arange(sentences), m), whole.shape)
        return self.encoder(whole, segments=wrap(segments, None))

    def sentences(self, ids: Any) -> Tensor:
        """One vector for each sentence: (B, k + 1, D)."""
        return self.hidden(ids)[:, :: np.shape(ids)[-1]]

    def forward(self, ids: Any) -> Tensor:
        return self.head(self.sentences(ids))

    def loss(self, ids: Any, labels: Any) -> Tensor:
        """Is the candidate from the pivot's paragraph? Mean cross-entropy of labels (B, k).

        For a head of one logit. This is the pre-training objective, MSPP.
        """
        logits = F.squeeze(self(ids), -1)
        return F.mean(F.softplus(F.where(labels, -logits, logits)))
