"""Local patch interaction: tokens on a grid hear their neighbours, channel by channel.

What cross-covariance attention lacks. Fills the slot "token mixer" as a sublayer of its own.
"""

import math
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context, TokenMixer


class LocalPatchInteraction(TokenMixer):
    """conv(norm(gelu(conv(x)))) on the grid of tokens, with a kernel for each channel.

    x (B, T, D) -> (B, T, D). The grid is the Context's, or one row of T. norm: BatchNorm. Outside
    the grid, and in padding, are zeros. Raises ValueError when the tokens do not fill the grid.

    Source: El-Nouby et al., "XCiT: Cross-Covariance Image Transformers" (2021): LPI.
    """

    def __init__(
        self, d_model: int, kernel: int = 3, norm: nn.Module | None = None, rng: Any = None
    ):
        rng = backend.generator(rng)
        how: dict = dict(padding="same", groups=d_model, rng=rng)
        self.first = nn.Conv2d(d_model, d_model, kernel, **how)
        self.norm = nn.BatchNorm(d_model) if norm is None else norm
        self.second = nn.Conv2d(d_model, d_model, kernel, **how)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        h = convolved(self.first, x, ctx)
        return convolved(self.second, self.norm(F.gelu(h)), ctx)


def convolved(conv: nn.Conv2d, x: Tensor, ctx: Context) -> Tensor:
    """``conv`` over x (B, T, C) laid out on the Context's grid (one row without a grid)."""
    B, T, C = x.shape
    grid = (1, T) if ctx.grid is None else tuple(ctx.grid)
    if len(grid) != 2 or math.prod(grid) != T:
        raise ValueError(f"expected a grid of rows x columns for {T} tokens, got {grid}")
    if ctx.valid is not None:
        x = F.where(ctx.valid[..., None], x, 0)
    return F.reshape(conv(F.reshape(x, (B, *grid, C))), (B, T, -1))
