"""Linear attention: phi(q) . phi(k) in place of exp(q . k), so that the past fits into a matrix.

    S_t = a_t S_{t-1} + phi(k_t) v_t^T        y_t = readout(S_t^T phi(q_t))

Fills the slot "token mixer". What varies from paper to paper is an object: the feature map phi, the
decay a, and the readout, which keeps the size of y in bounds. Without a mask every token hears all
(one matrix for the whole sequence); with ``Causal()`` it is a recurrence, which runs by chunks
(``functional.linear_attention``) or step by step in constant memory.
"""

from collections.abc import Callable
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context, TokenMixer
from minitx.positions.hooks import Hooks
from minitx.token_mixers.attention import head_width
from minitx.token_mixers.feature_maps import elu_plus_one
from minitx.token_mixers.heads import join_heads, split_heads
from minitx.token_mixers.masks import Causal, Mask


class Readout(nn.Module):
    """What is done to values before they are summed, and to the sums; base: nothing."""

    def values(self, v: Tensor) -> Tensor:
        """What enters the state, from v (B, H, T, d)."""
        return v

    def result(self, y: Tensor) -> Tensor:
        """The joined heads (B, T, H d), from what came out of the state."""
        return join_heads(y)


class WeightedMean(Readout):
    """Divided by the sum of the weights: a mean of values, if features are positive.

    The sum is one value more, which is 1 for every token: the state is d + 1 wide.
    """

    def __init__(self, eps: float = 1e-6):
        self.eps = eps

    def values(self, v):
        return F.concatenate([v, F.ones_like(v[..., :1])], axis=-1)  # (B, H, T, d + 1)

    def result(self, y):
        return join_heads(y[..., :-1] / (y[..., -1:] + self.eps))


class LinearAttention(TokenMixer):
    """Attention without a softmax, in time and memory linear in T.

    x (B, T, D) -> (B, T, D). feature_map: takes q and k (B, H, T, d) to features (B, H, T, m).
    readout: a ``Readout`` (WeightedMean). decay: gives log a from x. position: ``Hooks`` that turn
    features (rotary); others have no place here. mask: ``Causal()`` or None, nothing else.

    Raises ValueError when the heads do not divide d_model (unless d_head is given), for any other
    mask, for a decay without a causal mask, and for a state of another batch.

    Source: Katharopoulos et al., "Transformers are RNNs" (2020): s = the first d columns of the
    state, z = its last one.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int | None = None,
        *,
        feature_map: Callable[[Tensor], Tensor] = elu_plus_one,
        readout: Readout | None = None,
        decay: Callable[[Tensor], Tensor] | None = None,
        position: Hooks | None = None,
        mask: Mask | None = None,
        bias: bool = True,
        rng: Any = None,
    ):
        rng, d_head = backend.generator(rng), d_head or head_width(d_model, num_heads)
        self.num_heads, self.d_head = num_heads, d_head
        self.feature_map, self.decay, self.position = feature_map, decay, position
        self.readout = WeightedMean() if readout is None else readout
        self.mask = mask
        self._is_causal(None)
        self.qkv = nn.Linear(d_model, 3 * num_heads * d_head, bias=bias, rng=rng)
        self.out = nn.Linear(num_heads * d_head, d_model, bias=bias, rng=rng)

    def project(self, x: Tensor, ctx: Context) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Features of queries and keys (B, H, T, m), what enters the state, and log a."""
        q, k, v = split_heads(self.qkv(x), *[self.num_heads] * 3)
        q, k = self.feature_map(q), self.feature_map(k)
        if self.position is not None:
            q, k = self.position.queries_and_keys(q, k, ctx.coords, ctx.coords)
        log_decay = None if self.decay is None else self.decay(x)
        if ctx.valid is not None:  # padding says nothing, and takes no time
            k = F.where(ctx.valid[:, None, :, None], k, 0)
            if log_decay is not None:
                log_decay = F.where(ctx.valid[:, None], log_decay, 0)
        return q, k, self.readout.values(v), log_decay

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        q, k, v, log_decay = self.project(x, ctx)
        if self._is_causal(ctx.mask):
            y = F.linear_attention(q, k, v, log_decay)
        else:
            y = q @ (F.swapaxes(k, -1, -2) @ v)  # (B, H, m, d') comes first: linear in T
        return self.out(self.readout.result(y))

    def weights(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        """phi(q_t) . phi(k_j), decayed: the matrix (B, H, T, T) that ``forward`` never forms.

        What it gives the values is read out afterwards; WeightedMean divides by its rows' sums.
        """
        ctx = Context.of(x) if ctx is None else ctx
        q, k, _, log_decay = self.project(x, ctx)
        if not self._is_causal(ctx.mask):
            return q @ F.swapaxes(k, -1, -2)
        xp, T = backend.namespace(q.data), q.shape[2]
        each = wrap(xp.broadcast_to(xp.eye(T, dtype=q.dtype), (*q.shape[:3], T)), None)
        return F.quadratic_linear_attention(q, k, each, log_decay)

    def init_state(self, batch: int) -> Tensor:
        if not self._is_causal(None):
            raise TypeError(
                "linear attention runs step by step only if its mask is causal: "
                "LinearAttention(..., mask=Causal())"
            )
        token = F.full_like(self.qkv.weight, 0, shape=(1, self.num_heads, 1, self.d_head))
        widths = self.feature_map(token).shape[-1], self.readout.values(token).shape[-1]
        return F.full_like(token, 0, shape=(batch, self.num_heads, *widths))  # (B, H, m, d')

    def step(self, x: Tensor, state: Tensor, ctx: Context) -> tuple[Tensor, Tensor]:
        if state.shape[0] != x.shape[0]:
            raise ValueError(
                f"step expected a state of batch {x.shape[0]}, as x {x.shape} is, "
                f"got a state of batch {state.shape[0]}"
            )
        y, state = continued(state, *self.project(x, ctx))
        return self.out(self.readout.result(y)), state

    def _is_causal(self, mask: Any) -> bool:
        """Whether a token hears only what came before, by the mixer's mask and the Context's."""
        given = [one for one in (self.mask, mask) if one is not None]
        if any(type(one) is not Causal for one in given):
            raise ValueError(
                "linear attention never meets single pairs: expected the mask Causal() or none, "
                f"got {', '.join(type(one).__name__ for one in given)}"
            )
        if self.decay is not None and not given:
            raise ValueError("a decay expected a direction of time: mask=Causal()")
        return bool(given)


def continued(
    state: Tensor, q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """``linear_attention`` of the next tokens, from a state S: (y, the new S).

    y_t = its own sum + S^T q_t, decayed. state (B, H, m, d_v); q, k, v and log_decay as in
    ``functional.linear_attention``; y (B, H, T, d_v).
    """
    steps = q.shape[2]
    if log_decay is None:
        before = after = through = 1.0
    else:
        shape = (1,) * (3 - log_decay.ndim) + (*log_decay.shape[:-1], steps)
        total = F.cumsum(F.broadcast_to(log_decay, shape), -1)[..., None]  # (b, h, T, 1)
        last = total[..., -1:, :]
        before, after, through = F.exp(total), F.exp(last - total), F.exp(last)
    new = through * state + F.swapaxes(k * after, -1, -2) @ v
    if steps == 1:
        return q @ new, new
    return F.linear_attention(q, k, v, log_decay) + (q * before) @ state, new
