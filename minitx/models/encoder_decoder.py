"""The encoder-decoder: one sequence is read whole, another is written while looking at it."""

from collections.abc import Callable
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.connection import Connection
from minitx.connections.residual import PreNorm
from minitx.context import Decoding, Source
from minitx.depth.stack import Stack
from minitx.models.encoder import Encoder
from minitx.models.initialise import initialise
from minitx.models.sequence import read_ids, read_valid, sequence_context
from minitx.positions.absolute import NoPosition, Sinusoidal
from minitx.positions.hooks import Hooks
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.cross_attention import CrossAttention
from minitx.token_mixers.masks import Causal


class EncoderDecoder(nn.Module):
    """source ids (B, S), target ids (B, T) -> logits (B, T, V): row t scores the token after t.

    Each block of the decoder has three sublayers: causal attention to the target, attention to
    what the encoder made of the source, and a channel mixer. ``EncoderDecoder.base`` assembles
    the first transformer.
    """

    def __init__(
        self,
        encoder: Encoder,
        tokens: nn.Embedding,
        depth: nn.Module,
        *,
        position: Hooks | None = None,
        norm: nn.Module | None = None,
        rng: Any = None,
    ):
        vocabulary, d_model = tokens.weight.shape
        self.encoder, self.tokens, self.depth, self.norm = encoder, tokens, depth, norm
        self.position = NoPosition() if position is None else position
        self.head = nn.Linear(d_model, vocabulary, bias=False, rng=backend.generator(rng))

    def encode(self, source: Any, valid: Any = None, losses: list | None = None) -> Source:
        """What the decoder attends to, for source ids (B, S)."""
        ids = read_ids(source)
        ctx = sequence_context(ids, read_valid(valid, ids.shape))
        return Source(self.encoder(ids, valid, losses=losses), ctx.coords, ctx.valid)

    def forward(
        self,
        source: Any,
        target: Any,
        source_valid: Any = None,
        target_valid: Any = None,
        losses: list | None = None,
    ) -> Tensor:
        """The logits. ``losses`` is a list for what parts leave to be added to a loss."""
        memory = self.encode(source, source_valid, losses)
        return self._decode(target, target_valid, memory, losses=losses)

    def _decode(
        self,
        ids: Any,
        valid: Any,
        source: Source,
        decoding: Decoding | None = None,
        losses: list | None = None,
    ) -> Tensor:
        ids = read_ids(ids)
        ctx = sequence_context(ids, read_valid(valid, ids.shape), decoding)
        ctx = ctx if losses is None else ctx.replace(losses=losses)
        x = self.position.input(self.tokens(wrap(ids, None)), ctx.coords)
        x = self.depth(x, ctx.replace(source=source))
        return self.head(x if self.norm is None else self.norm(x))

    def loss(self, source: Any, target: Any, source_valid: Any = None, mask: Any = None) -> Tensor:
        """The mean cross-entropy in nats of target (B, T + 1)'s tokens after the first.

        ``mask`` (B, T) is True where a predicted token counts. What parts leave to
        be added (a balance of experts, a price of passes) is added.
        """
        target, left = read_ids(target), []
        logits = self(source, target[:, :-1], source_valid, losses=left)
        nats = F.cross_entropy(logits, target[:, 1:], mask=mask)
        return sum((value for _, value in left), nats)

    def init_state(self, source: Any, valid: Any = None) -> Decoding:
        """The state before the first target token, the source being read once."""
        source = self.encode(source, valid)
        return Decoding(source.tokens.shape[0], source=source)

    def step(self, ids: Any, state: Decoding, valid: Any = None) -> tuple[Tensor, Decoding]:
        """The next target tokens (B, t): (logits (B, t, V), the new state)."""
        state = state.copy()
        with state.panels.in_use():
            return self._decode(ids, valid, state.source, state), state

    @classmethod
    def base(
        cls,
        vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        d_ff: int | None = None,
        activation: str | Callable = "relu",
        connection: Callable[[], Connection] = PreNorm,
        rng: Any = None,
    ) -> "EncoderDecoder":
        """One vocabulary for both sides, sinusoidal positions, ReLU, and norms before sublayers.

        The first transformer had its norms after them: ``connection=PostNorm``.

        Source: Vaswani et al., "Attention Is All You Need" (2017): N = num_layers.
        """
        rng = backend.generator(rng)
        norm = lambda: nn.LayerNorm(d_model)  # noqa: E731

        def block(*attention: nn.Module) -> Block:
            mlp = MLP(d_model, d_ff, activation, rng=rng)
            return Block(*attention, mlp, norm=norm, connection=connection())

        def self_attention(**options: Any) -> MultiHeadAttention:
            return MultiHeadAttention(d_model, num_heads, rng=rng, **options)

        def decoder_block() -> Block:
            cross = CrossAttention(d_model, num_heads, rng=rng)
            return block(self_attention(mask=Causal()), cross)

        tokens, position = nn.Embedding(vocab_size, d_model, rng=rng), Sinusoidal(d_model)
        depth = Stack([block(self_attention()) for _ in range(num_layers)])
        encoder = Encoder(tokens, depth, position=position, norm=norm())
        depth = Stack([decoder_block() for _ in range(num_layers)])
        model = cls(encoder, tokens, depth, position=position, norm=norm(), rng=rng)
        return initialise(model, d_model, num_layers, rng)
