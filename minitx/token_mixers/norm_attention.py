"""Linear attention without a denominator, and softmax attention in blocks beside it.

Dividing by the sum of the weights lets gradients grow without bound where the weights are small.
NormAttention drops the denominator and normalises what comes out; DiagAttention, meant for the
first layers, keeps attention near by: a softmax within blocks of the sequence.
"""

from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context, TokenMixer
from minitx.token_mixers.cache import KVCache
from minitx.token_mixers.heads import join_heads
from minitx.token_mixers.linear_attention import LinearAttention, Readout
from minitx.token_mixers.masks import Causal, Mask, Pairs


class Normed(Readout):
    """Normalised, not divided: ``norm`` of the joined heads of each token, (N, H d).

    ``nn.RMSNorm(H * d)`` over all heads, ``nn.GroupNorm(H, H * d)`` over each.
    """

    def __init__(self, norm: nn.Module):
        self.norm = norm

    def result(self, y):
        y = join_heads(y)  # (B, T, H d)
        return F.reshape(self.norm(F.reshape(y, (-1, y.shape[-1]))), y.shape)


class NormAttention(LinearAttention):
    """RMSNorm(phi(Q) (phi(K)^T V)): linear attention whose gradients stay in bounds.

    Arguments and errors are those of ``LinearAttention``.

    Source: Qin et al., "The Devil in Linear Transformer" (2022).
    """

    def __init__(self, d_model: int, num_heads: int, d_head: int | None = None, **options: Any):
        super().__init__(d_model, num_heads, d_head, **options)
        self.readout = Normed(nn.RMSNorm(num_heads * self.d_head))


class Blocks(Mask):
    """Tokens meet within blocks of ``size`` places, by their first coordinate."""

    def __init__(self, size: int):
        if size < 1:
            raise ValueError(f"Blocks expected a size of at least 1, got {size}")
        self.size = size

    def allowed(self, pairs: Pairs) -> Any:
        q, k = (c[..., 0] // self.size for c in (pairs.coords_q, pairs.coords_k))
        return (k[:, None, :] == q[:, :, None])[:, None]  # (B, 1, T, S)


class DiagAttention(TokenMixer):
    """Softmax attention within blocks of ``size`` tokens that do not overlap: linear in T.

    ``attention`` is a MultiHeadAttention, which is given the blocks as sequences of their own. A
    token's block is its place // size. Runs step by step if the attention does. Raises ValueError
    when the Context brings another mask than Causal().

    Source: Qin et al., "The Devil in Linear Transformer" (2022): w = size.
    """

    def __init__(self, attention: TokenMixer, size: int):
        self.attention, self.blocks = attention, Blocks(size)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        if ctx.mask is not None and type(ctx.mask) is not Causal:
            raise ValueError(
                "DiagAttention expected the mask Causal() or none beside its blocks, "
                f"got {type(ctx.mask).__name__}"
            )
        xp, (B, T, D), size = backend.namespace(x.data), x.shape, self.blocks.size
        lead = self._lead(ctx, xp, B)  # (B, 1): how far into its block a row begins
        length = -(-(T + size - 1) // size) * size
        index = xp.arange(length) - lead  # (B, N w): which token stands there
        valid = (index >= 0) & (index < T)
        index = xp.clip(index, 0, T - 1)
        if ctx.valid is not None:
            valid = valid & xp.take_along_axis(ctx.valid, index, axis=1)
        coords = xp.take_along_axis(
            xp.broadcast_to(ctx.coords, (B, *ctx.coords.shape[1:])), index[..., None], axis=1
        )
        blocks = F.take_along_axis(x, wrap(index[..., None], None), 1)  # (B, N w, D)
        inside = ctx.replace(
            coords=coords.reshape(-1, size, coords.shape[-1]),
            valid=valid.reshape(-1, size),
            decoding=None,
        )
        y = self.attention(F.reshape(blocks, (-1, size, D)), inside)  # (B N, w, D)
        back = wrap((xp.arange(T) + lead)[..., None], None)
        return F.take_along_axis(F.reshape(y, (B, length, D)), back, 1)

    def _lead(self, ctx: Context, xp: Any, batch: int) -> Any:
        """Place - index of the first token that is there, modulo the size: (B, 1)."""
        places = xp.broadcast_to(ctx.coords[..., 0], (batch, ctx.coords.shape[1]))
        first = xp.zeros(batch, int) if ctx.valid is None else ctx.valid.argmax(axis=1)
        there = xp.take_along_axis(places, first[:, None], axis=1)
        return (there - first[:, None]).astype(int) % self.blocks.size

    def init_state(self, batch: int) -> KVCache:
        self.attention.init_state(batch)  # says whether it can
        return KVCache(window=self.blocks.size)

    def step(self, x: Tensor, state: KVCache, ctx: Context) -> tuple[Tensor, KVCache]:
        mask = self.blocks if ctx.mask is None else self.blocks & ctx.mask
        return self.attention.step(x, state, ctx.replace(mask=mask, decoding=None))
