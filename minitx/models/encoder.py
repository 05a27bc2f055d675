"""The encoder: every token hears every other. And the heads that it is used with."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import PostNorm
from minitx.depth.stack import Stack
from minitx.models.initialise import initialise
from minitx.models.pooling import first_token, mean_pool, unit
from minitx.models.sequence import read_ids, read_valid, sequence_context
from minitx.nn.activations import activation as find
from minitx.positions.absolute import Learned, NoPosition
from minitx.positions.hooks import Hooks
from minitx.token_mixers.attention import MultiHeadAttention

Pooling = Callable[[Tensor, Any], Tensor]


class Encoder(nn.Module):
    """Token vectors, positions, blocks: ids (B, T) -> (B, T, D).

    segments: an Embedding for which text a token belongs to (ids of segments (B, T), 0 unless
    told). input_norm comes before the blocks, norm after them. ``Encoder.bert`` assembles BERT.
    """

    def __init__(
        self,
        tokens: nn.Embedding,
        depth: nn.Module,
        *,
        position: Hooks | None = None,
        segments: nn.Embedding | None = None,
        input_norm: nn.Module | None = None,
        norm: nn.Module | None = None,
        dropout: nn.Module | None = None,
    ):
        self.tokens, self.depth = tokens, depth
        self.position = NoPosition() if position is None else position
        self.segments, self.input_norm, self.norm = segments, input_norm, norm
        self.dropout = dropout

    def forward(
        self, ids: Any, valid: Any = None, segments: Any = None, losses: list | None = None
    ) -> Tensor:
        """The tokens. ``losses`` is a list for what parts leave to be added to a loss."""
        ids = read_ids(ids)
        ctx = sequence_context(ids, read_valid(valid, ids.shape))
        ctx = ctx if losses is None else ctx.replace(losses=losses)
        x = self.position.input(self.tokens(wrap(ids, None)), ctx.coords)
        if self.segments is not None:
            zeros = backend.namespace(ids).zeros(ids.shape, np.int64)
            x = x + self.segments(wrap(zeros, None) if segments is None else segments)
        elif segments is not None:
            raise ValueError("this Encoder was built without segments, and was given some")
        for part in (self.input_norm, self.dropout):
            x = x if part is None else part(x)
        x = self.depth(x, ctx)
        return x if self.norm is None else self.norm(x)

    @classmethod
    def bert(
        cls,
        vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        max_length: int,
        d_ff: int | None = None,
        num_segments: int = 2,
        activation: str | Callable = "gelu_erf",
        dropout: float = 0.0,
        eps: float = 1e-12,
        rng: Any = None,
    ) -> "Encoder":
        """BERT's shape: learned positions, segments, LayerNorm after each sublayer, erf-GELU.

        Source: Devlin et al., "BERT" (2019).
        """
        rng = backend.generator(rng)
        norm = lambda: nn.LayerNorm(d_model, eps=eps)  # noqa: E731
        drop = nn.Dropout(dropout, rng=rng) if dropout else None

        def block() -> Block:
            attention = MultiHeadAttention(d_model, num_heads, rng=rng)
            mlp = MLP(d_model, d_ff, activation, rng=rng)
            return Block(attention, mlp, norm=norm, connection=PostNorm(dropout=drop))

        model = cls(
            nn.Embedding(vocab_size, d_model, rng=rng),
            Stack([block() for _ in range(num_layers)]),
            position=Learned(max_length, d_model, rng=rng),
            segments=nn.Embedding(num_segments, d_model, rng=rng) if num_segments else None,
            input_norm=norm(),
            dropout=drop,
        )
        return initialise(model, d_model, num_layers, rng)


class MaskedLM(nn.Module):
    """Which token was here? ids (B, T) -> logits (B, T, V), the token vectors being the head's.

    Source: Devlin et al., "BERT" (2019).
    """

    def __init__(self, encoder: Encoder, activation: str | Callable = "gelu_erf", rng: Any = None):
        vocabulary, d_model = encoder.tokens.weight.shape
        self.encoder, self.activation = encoder, find(activation)
        self.transform = nn.Linear(d_model, d_model, rng=backend.generator(rng))
        self.norm = nn.LayerNorm(d_model, eps=1e-12)
        self.bias = nn.Parameter(np.zeros(vocabulary))

    def forward(
        self, ids: Any, valid: Any = None, segments: Any = None, losses: list | None = None
    ) -> Tensor:
        x = self.encoder(ids, valid, segments, losses)
        h = self.norm(self.activation(self.transform(x)))
        return F.linear(h, self.encoder.tokens.weight, self.bias)

    def loss(self, ids: Any, targets: Any, mask: Any, valid: Any = None) -> Tensor:
        """The mean cross-entropy in nats where ``mask`` (B, T) is True: at the hidden tokens.

        What parts leave to be added is added.
        """
        left: list[tuple[str, Tensor]] = []
        nats = F.cross_entropy(self(ids, valid, losses=left), targets, mask=mask)
        return sum((value for _, value in left), nats)


class SentenceEmbedding(nn.Module):
    """One unit vector for each sequence: ids (B, T) -> (B, D).

    Source: Reimers and Gurevych, "Sentence-BERT" (2019).
    """

    def __init__(self, encoder: Encoder, pooling: Pooling = mean_pool):
        self.encoder, self.pooling = encoder, pooling

    def forward(self, ids: Any, valid: Any = None) -> Tensor:
        there = read_valid(valid, np.shape(ids))
        return unit(self.pooling(self.encoder(ids, valid), there))


class Classifier(nn.Module):
    """ids (B, T) -> logits (B, classes), from one vector for the sequence (the first token's).

    pooler: BERT's tanh layer between the two, or None.
    """

    def __init__(
        self,
        encoder: Encoder,
        classes: int,
        pooling: Pooling = first_token,
        pooler: bool = True,
        rng: Any = None,
    ):
        rng, d_model = backend.generator(rng), encoder.tokens.weight.shape[1]
        self.encoder, self.pooling = encoder, pooling
        self.pooler = nn.Linear(d_model, d_model, rng=rng) if pooler else None
        self.head = nn.Linear(d_model, classes, rng=rng)

    def forward(
        self, ids: Any, valid: Any = None, segments: Any = None, losses: list | None = None
    ) -> Tensor:
        there = read_valid(valid, np.shape(ids))
        h = self.pooling(self.encoder(ids, valid, segments, losses), there)  # (B, D)
        return self.head(h if self.pooler is None else F.tanh(self.pooler(h)))

    def loss(self, ids: Any, labels: Any, valid: Any = None) -> Tensor:
        """The mean cross-entropy in nats of ``labels`` (B,), and what parts leave to be added."""
        left: list[tuple[str, Tensor]] = []
        nats = F.cross_entropy(self(ids, valid, losses=left), labels)
        return sum((value for _, value in left), nats)
