"""Cross-covariance attention: channels hear channels, and no token meets another.

Softmax attention weighs tokens by K Q^T (T x T). Turned by a right angle, K^T Q (d x d) weighs the
channels of a head: linear in T. Tokens speak to one another through these sums over all of them
and in no other way, so a local mixer stands beside it. Fills the slot "token mixer".
"""

from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context, TokenMixer
from minitx.token_mixers.attention import head_width
from minitx.token_mixers.heads import join_heads, split_heads


class CrossCovarianceAttention(TokenMixer):
    """V A, A = softmax over rows of (K^T Q s): every channel is a mean of the head's channels.

    x (B, T, D) -> (B, T, D). Each column (channel) of Q and K is divided by its length over the
    tokens, so that K^T Q holds cosines; s (H, 1, 1) is trained and starts at 1. Padding is left
    out. Raises ValueError for any mask: single pairs of tokens never meet.

    Source: El-Nouby et al., "XCiT: Cross-Covariance Image Transformers" (2021): 1 / tau = scale.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int | None = None,
        bias: bool = True,
        rng: Any = None,
    ):
        rng, d_head = backend.generator(rng), d_head or head_width(d_model, num_heads)
        self.num_heads, self.d_head = num_heads, d_head
        self.qkv = nn.Linear(d_model, 3 * num_heads * d_head, bias=bias, rng=rng)
        self.scale = nn.Parameter(np.ones((num_heads, 1, 1)))
        self.out = nn.Linear(num_heads * d_head, d_model, bias=bias, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        q, k, v = self.project(x, ctx)
        return self.out(join_heads(v @ self.weights_of(q, k)))

    def project(self, x: Tensor, ctx: Context | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Q and K with columns of length 1, and V: (B, H, T, d) each."""
        if ctx is not None and ctx.mask is not None:
            raise ValueError(
                "cross-covariance attention never meets single pairs: expected no mask, "
                f"got {type(ctx.mask).__name__}"
            )
        q, k, v = split_heads(self.qkv(x), *[self.num_heads] * 3)
        if ctx is not None and ctx.valid is not None:
            q, k = (F.where(ctx.valid[:, None, :, None], z, 0) for z in (q, k))
        return unit_columns(q), unit_columns(k), v

    def weights_of(self, q: Tensor, k: Tensor) -> Tensor:
        """A (B, H, d, d): column j says what channel j is a mean of."""
        return F.softmax(F.swapaxes(k, -1, -2) @ q * self.scale, axis=-2)


def unit_columns(x: Tensor, eps: float = 1e-12) -> Tensor:
    """Each channel of x (B, H, T, d) divided by its length over the tokens."""
    return x / F.sqrt(F.sum(F.square(x), axis=-2, keepdims=True) + eps)
