"""Attention without a softmax, read by columns: functions sampled on a grid, and their products.

    Fourier type:   z = (1/n) (norm(Q) norm(K)^T) V        n^2 d numbers multiplied
    Galerkin type:  z = (1/n) Q (norm(K)^T norm(V))        n d^2

A column of Q, K or V is a function at the n points of a grid, so that K^T V / n holds quadratures
of products of functions: it stays what it is when the grid is refined. Fills the slot "token
mixer"; coordinates (B or 1, T, p) in the Context say where the points are.
"""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context, TokenMixer
from minitx.token_mixers.attention import head_width
from minitx.token_mixers.heads import join_heads, split_heads


class HeadNorm(nn.Module):
    """LayerNorm over the d numbers of a head, with weight and bias of its own for each head.

    x (B, H, T, d) -> (B, H, T, d); weight and bias (H, 1, d) start at 1 and 0.
    """

    def __init__(self, num_heads: int, d_head: int, eps: float = 1e-5):
        self.weight = nn.Parameter(np.ones((num_heads, 1, d_head)))
        self.bias = nn.Parameter(np.zeros((num_heads, 1, d_head)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        ones = F.ones_like(self.weight[0, 0])
        return F.layer_norm(x, ones, 0 * ones, self.eps) * self.weight + self.bias


class GridAttention(TokenMixer):
    """What both types share. axes: how many coordinates each head sees beside its d numbers.

    x (B, T, D) -> (B, T, D). Projections start small and nearly diagonal, eta times Xavier's plus
    delta times the identity. Raises ValueError when the heads do not divide d_model, and where
    the Context has a mask of pairs or coordinates of another number.

    Source: Cao, "Choose a Transformer: Fourier or Galerkin" (2021): n = T, LN = HeadNorm.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        axes: int = 1,
        *,
        eta: float = 1e-2,
        delta: float = 1e-2,
        rng: Any = None,
    ):
        rng, d_head = backend.generator(rng), head_width(d_model, num_heads)
        self.num_heads, self.axes = num_heads, axes
        self.qkv = nn.Linear(d_model, 3 * d_model, rng=rng)
        self.out = nn.Linear(num_heads * (d_head + axes), d_model, rng=rng)
        self.norms = [HeadNorm(num_heads, d_head) for _ in range(2)]
        bound = np.sqrt(6 / (2 * d_model))
        small = eta * rng.uniform(-bound, bound, (3 * d_model, d_model))
        self.qkv.weight.assign(small + delta * np.tile(np.eye(d_model), (3, 1)))
        self.qkv.bias.assign(np.zeros(3 * d_model))

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        if ctx.mask is not None:
            raise ValueError(
                f"{type(self).__name__} never meets single pairs: expected no mask, "
                f"got {type(ctx.mask).__name__}"
            )
        heads = self.normalised(*split_heads(self.qkv(x), *[self.num_heads] * 3))
        q, k, v = (self._placed(part, ctx) for part in heads)  # (B, H, T, d + p)
        count = x.shape[1]
        if ctx.valid is not None:
            k = F.where(ctx.valid[:, None, :, None], k, 0)
            count = backend.namespace(x.data).maximum(ctx.valid.sum(axis=1), 1)
            count = wrap(count.astype(x.dtype)[:, None, None, None], None)
        return self.out(join_heads(self.product(q, k, v) / count))

    def normalised(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The two of q, k and v that this type normalises, normalised."""
        raise TypeError(f"{type(self).__name__} does not define normalised")

    def product(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q k^T v, in this type's order."""
        raise TypeError(f"{type(self).__name__} does not define product")

    def _placed(self, x: Tensor, ctx: Context) -> Tensor:
        """x (B, H, T, d) and the point's coordinates beside it: (B, H, T, d + p)."""
        if not self.axes:
            return x
        if ctx.coords is None or ctx.coords.shape[-1] != self.axes:
            got = "none" if ctx.coords is None else ctx.coords.shape
            raise ValueError(f"expected coordinates (B or 1, T, {self.axes}), got {got}")
        where = wrap(ctx.coords.astype(x.dtype)[:, None], None)
        return F.concatenate([x, F.broadcast_to(where, (*x.shape[:3], self.axes))], axis=-1)


class FourierAttention(GridAttention):
    """(1/n) (norm(Q) norm(K)^T) V: every point meets every point."""

    def normalised(self, q, k, v):
        return self.norms[0](q), self.norms[1](k), v

    def product(self, q, k, v):
        return (q @ F.swapaxes(k, -1, -2)) @ v


class GalerkinAttention(GridAttention):
    """(1/n) Q (norm(K)^T norm(V)): a projection onto the columns of Q, tested by those of K."""

    def normalised(self, q, k, v):
        return q, self.norms[0](k), self.norms[1](v)

    def product(self, q, k, v):
        return q @ (F.swapaxes(k, -1, -2) @ v)  # (B, H, d + p, d + p) comes first
