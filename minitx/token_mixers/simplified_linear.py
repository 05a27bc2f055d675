"""Simplified linear attention: relu features, and a convolution of the values beside them.

A head of width d that weighs tokens by relu(q) . relu(k) mixes them by a matrix of rank d at most:
it cannot give every token something of its own. A small convolution of the values can.
"""

from typing import Any

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.token_mixers.heads import join_heads
from minitx.token_mixers.linear_attention import LinearAttention
from minitx.token_mixers.local_patches import convolved


class SimplifiedLinearAttention(LinearAttention):
    """relu(q_i) . sum_j relu(k_j) v_j^T / (relu(q_i) . sum_j relu(k_j) + eps) + conv(v)_i.

    x (B, T, D) -> (B, T, D). The convolution has a kernel x kernel window for each channel, on the
    Context's grid, or along one row of tokens. Of the two orders of multiplication the one with
    fewer products is taken. Raises ValueError for any mask, and for tokens that do not fill the
    grid.

    Source: Guo et al., "SLAB" (2024): their pos, added to k, is left to the model's input.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int | None = None,
        kernel: int = 5,
        bias: bool = True,
        rng: Any = None,
    ):
        super().__init__(d_model, num_heads, d_head, feature_map=F.relu, bias=bias, rng=rng)
        width = num_heads * self.d_head
        self.convolution = nn.Conv2d(width, width, kernel, padding="same", groups=width, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        if ctx.mask is not None:
            raise ValueError(
                "SimplifiedLinearAttention expected no mask: every token hears all; "
                f"got {type(ctx.mask).__name__}"
            )
        q, k, v, _ = self.project(x, ctx)
        order = quadratic_order if q.shape[2] < self.d_head else linear_order
        values = join_heads(v[..., : self.d_head])  # (B, T, H d)
        local = convolved(self.convolution, values, ctx)
        return self.out(self.readout.result(order(q, k, v)) + local)


def linear_order(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """q (k^T v): the matrix (d, d') first, T d d' products twice."""
    return q @ (F.swapaxes(k, -1, -2) @ v)


def quadratic_order(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """(q k^T) v: the matrix (T, T) first."""
    return (q @ F.swapaxes(k, -1, -2)) @ v
