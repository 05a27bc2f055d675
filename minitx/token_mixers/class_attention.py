"""Class attention: one token that reads all others, which no longer change.

At the end of a vision model a class token is put before the patches, and a few layers move it
alone: what these layers learn is to sum up, and not to mix as well.
"""

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Source, TokenMixer


class FirstToken(TokenMixer):
    """What ``sublayer`` says of the first token, which hears all tokens; zeros for the others.

    x (B, T, D) -> (B, T, D). Around a CrossAttention it is class attention, with work linear in T;
    around a channel mixer it spares the other tokens.

    Source: Touvron et al., "Going deeper with Image Transformers" (2021): z = x.
    """

    def __init__(self, sublayer: nn.Module):
        self.sublayer = sublayer

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        coords = None if ctx.coords is None else ctx.coords[:, :1]
        source = Source(x, ctx.coords, ctx.valid)
        y = self.sublayer(x[:, :1], ctx.replace(coords=coords, valid=None, source=source))
        return F.concatenate([y, F.zeros_like(x[:, 1:])], axis=1)
