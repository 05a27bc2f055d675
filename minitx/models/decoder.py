"""The decoder: a transformer that reads from left to right and predicts the next token."""

from collections.abc import Callable
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.block import Block
from minitx.channel_mixers.gated import GLU
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import PreNorm
from minitx.context import Decoding
from minitx.depth.stack import Stack
from minitx.models.initialise import initialise
from minitx.models.sequence import read_ids, read_valid, sequence_context
from minitx.positions.absolute import Learned, NoPosition
from minitx.positions.hooks import Hooks
from minitx.positions.rotary import Rotary
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal


class Decoder(nn.Module):
    """Token vectors, positions, causal blocks, a norm, and a score for every next token.

    ids (B, T) -> logits (B, T, V): row t scores the token after t. ``depth`` is a Stack or
    anything called as ``depth(x, ctx)``; ``tied`` makes the head the token vectors themselves.
    ``Decoder.gpt`` and ``Decoder.llama`` assemble the two familiar shapes.
    """

    def __init__(
        self,
        tokens: nn.Embedding,
        depth: nn.Module,
        norm: nn.Module,
        *,
        position: Hooks | None = None,
        tied: bool = False,
        rng: Any = None,
    ):
        vocabulary, d_model = tokens.weight.shape
        self.tokens, self.depth, self.norm = tokens, depth, norm
        self.position = NoPosition() if position is None else position
        self.head = nn.Linear(d_model, vocabulary, bias=False, rng=backend.generator(rng))
        if tied:
            self.head.weight = tokens.weight

    def forward(self, ids: Any, valid: Any = None, losses: list | None = None) -> Tensor:
        """The logits. ``losses`` is a list for what parts leave to be added to a loss."""
        return self.head(self.hidden(ids, valid, losses=losses))

    def hidden(
        self,
        ids: Any,
        valid: Any = None,
        decoding: Decoding | None = None,
        losses: list | None = None,
    ) -> Tensor:
        """What the head reads, (B, T, D). ``valid`` (B, T) is False where there is padding."""
        ids = read_ids(ids)
        ctx = sequence_context(ids, read_valid(valid, ids.shape), decoding)
        ctx = ctx if losses is None else ctx.replace(losses=losses)
        x = self.position.input(self.tokens(wrap(ids, None)), ctx.coords)
        return self.norm(self.depth(x, ctx))

    def loss(self, ids: Any, targets: Any, mask: Any = None) -> Tensor:
        """The mean cross-entropy in nats of ``targets`` (B, T), where ``mask`` is True.

        What parts leave to be added (a balance of experts, a price of passes) is added.
        """
        left: list[tuple[str, Tensor]] = []
        nats = F.cross_entropy(self(ids, losses=left), targets, mask=mask)
        return sum((value for _, value in left), nats)

    def init_state(self, batch: int) -> Decoding:
        """The state before the first token, for ``step``."""
        return Decoding(batch)

    def step(self, ids: Any, state: Decoding, valid: Any = None) -> tuple[Tensor, Decoding]:
        """The next tokens ids (B, t): (logits (B, t, V), the new state); the old one stays good."""
        state = state.copy()
        with state.panels.in_use():
            return self.head(self.hidden(ids, valid, state)), state

    @classmethod
    def gpt(
        cls,
        vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        max_length: int,
        activation: str | Callable = "gelu",
        dropout: float = 0.0,
        tied: bool = False,
        rng: Any = None,
    ) -> "Decoder":
        """GPT-2's shape: learned positions, LayerNorm before each sublayer, GELU, biases.

        Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
        """
        rng = backend.generator(rng)

        def block() -> Block:
            drop = nn.Dropout(dropout, rng=rng) if dropout else None
            return Block(
                MultiHeadAttention(d_model, num_heads, mask=Causal(), rng=rng),
                MLP(d_model, activation=activation, rng=rng),
                norm=lambda: nn.LayerNorm(d_model),
                connection=PreNorm(dropout=drop),
            )

        model = cls(
            nn.Embedding(vocab_size, d_model, rng=rng),
            Stack([block() for _ in range(num_layers)]),
            nn.LayerNorm(d_model),
            position=Learned(max_length, d_model, rng=rng),
            tied=tied,
            rng=rng,
        )
        return initialise(model, d_model, num_layers, rng)

    @classmethod
    def llama(
        cls,
        vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        num_kv_heads: int | None = None,
        d_ff: int | None = None,
        rotary_base: float = 10000.0,
        tied: bool = False,
        rng: Any = None,
    ) -> "Decoder":
        """Llama's shape: rotary positions, RMSNorm, SwiGLU, grouped queries, no biases.

        Source: Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (2023).
        """
        rng = backend.generator(rng)
        rotary = Rotary(d_model // num_heads, rotary_base)

        def block() -> Block:
            return Block(
                MultiHeadAttention(
                    d_model, num_heads, num_kv_heads,
                    position=rotary, mask=Causal(), bias=False, rng=rng,
                ),
                GLU(d_model, d_ff, rng=rng),
                norm=lambda: nn.RMSNorm(d_model),
            )  # fmt: skip

        tokens = nn.Embedding(vocab_size, d_model, rng=rng)
        depth = Stack([block() for _ in range(num_layers)])
        model = cls(tokens, depth, nn.RMSNorm(d_model), tied=tied, rng=rng)
        return initialise(model, d_model, num_layers, rng)
