"""The Block: sublayers in a row, joined to the stream by a connection."""

from collections.abc import Callable

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.connections.connection import Connection
from minitx.connections.residual import PreNorm
from minitx.context import Context


class Block(nn.Module):
    """``Block(token_mixer, channel_mixer, norm=..., connection=...)``: one layer of a transformer.

    x (B, T, D) -> (B, T, D). The sublayers are any number of Modules called as ``part(x, ctx)``:
    two in an encoder or decoder, three with cross-attention between them. ``norm`` makes a new
    norm, ``lambda: nn.LayerNorm(d_model)``; ``connection`` is a ``Connection`` (pre-norm).
    """

    def __init__(
        self,
        *sublayers: nn.Module,
        norm: Callable[[], nn.Module],
        connection: Connection | None = None,
    ):
        if not sublayers:
            raise ValueError("Block expected at least one sublayer, got none")
        self.sublayers = list(sublayers)
        self.connection = PreNorm() if connection is None else connection
        self.norms = [self.connection.norms(norm) for _ in sublayers]

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        state = self.connection.begin(x)
        for sublayer, norm in zip(self.sublayers, self.norms, strict=True):
            state = self.connection.apply(state, sublayer, norm, ctx)
        return self.connection.end(state)
