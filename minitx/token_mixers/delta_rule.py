"""DeltaNet: linear attention whose memory overwrites, where the plain one only adds.

    S_t = S_{t-1} + k_t (beta_t (v_t - S_{t-1}^T k_t))^T        y_t = norm(S_t^T q_t)

Fills the slot "token mixer": causal, by chunks (``functional.delta_rule``) or step by step. Its
state is a matrix for each head and the window of a short convolution, however long the text.
"""

from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context, TokenMixer
from minitx.token_mixers.attention import head_width
from minitx.token_mixers.heads import join_heads, split_heads
from minitx.token_mixers.masks import Causal
from minitx.token_mixers.short_convolution import ShortConvolution

State = tuple[Tensor, Tensor]  # the memory S (B, H, d, d), the window (B, K - 1, 3 H d)


class DeltaNet(TokenMixer):
    """The delta rule with learned steps: beta = sigmoid(W x), q and k of length 1.

    x (B, T, D) -> (B, T, D). q, k, v = silu(conv(W x)) with a causal convolution over ``kernel``
    tokens, channel by channel; q and k are divided by their length. Order is heard, no position is
    needed. Padding before a sequence says nothing.

    Raises ValueError when the heads do not divide d_model (unless d_head is given), for a mask
    other than ``Causal()``, and for a state of another batch.

    Source: Yang et al., "Parallelizing Linear Transformers with the Delta Rule over Sequence
    Length" (2024): their S is our S^T.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int | None = None,
        kernel: int = 4,
        rng: Any = None,
    ):
        rng, d_head = backend.generator(rng), d_head or head_width(d_model, num_heads)
        self.num_heads, self.d_head = num_heads, d_head
        self.qkv = nn.Linear(d_model, 3 * num_heads * d_head, bias=False, rng=rng)
        self.convolution = ShortConvolution(3 * num_heads * d_head, kernel, rng=rng)
        self.beta = nn.Linear(d_model, num_heads, rng=rng)
        self.norm = nn.RMSNorm(d_head)
        self.out = nn.Linear(num_heads * d_head, d_model, bias=False, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        window = self.convolution.init_state(x.shape[0])
        *given, _ = self.project(x, ctx, window)
        return self._result(F.delta_rule(*given))

    def project(self, x: Tensor, ctx: Context, window: Tensor) -> tuple[Tensor, ...]:
        """q, k, v (B, H, T, d), beta (B, H, T), and the window that comes after x."""
        if ctx.mask is not None and type(ctx.mask) is not Causal:
            raise ValueError(
                f"DeltaNet expected the mask Causal() or none, got {type(ctx.mask).__name__}"
            )
        rows, beta = self.qkv(x), F.sigmoid(self.beta(x))  # (B, T, 3 H d), (B, T, H)
        if ctx.valid is not None:  # padding says nothing
            rows, beta = (F.where(ctx.valid[..., None], y, 0) for y in (rows, beta))
        rows, window = self.convolution.step(rows, window)
        q, k, v = split_heads(F.silu(rows), *[self.num_heads] * 3)
        return of_unit_length(q), of_unit_length(k), v, F.swapaxes(beta, 1, 2), window

    def init_state(self, batch: int) -> State:
        shape = (batch, self.num_heads, self.d_head, self.d_head)
        return F.full_like(self.qkv.weight, 0, shape=shape), self.convolution.init_state(batch)

    def step(self, x: Tensor, state: State, ctx: Context) -> tuple[Tensor, State]:
        memory, window = state
        if memory.shape[0] != x.shape[0]:
            raise ValueError(
                f"step expected a state of batch {x.shape[0]}, as x {x.shape} is, "
                f"got a state of batch {memory.shape[0]}"
            )
        *given, window = self.project(x, ctx, window)
        y, memory = continued_delta_rule(memory, *given)
        return self._result(y), (memory, window)

    def _result(self, y: Tensor) -> Tensor:
        return self.out(join_heads(self.norm(y)))


def of_unit_length(x: Tensor, eps: float = 1e-6) -> Tensor:
    """x / sqrt(|x|^2 + eps), over the last axis: of length 1, or 0 where x is."""
    return x / F.sqrt(F.sum(F.square(x), axis=-1, keepdims=True) + eps)


def continued_delta_rule(
    state: Tensor, q: Tensor, k: Tensor, v: Tensor, beta: Tensor
) -> tuple[Tensor, Tensor]:
    """``delta_rule`` of the next tokens, from a state S (B, H, m, d_v): (y, the new S).

    q, k, v and beta as in ``functional.delta_rule``; y (B, H, T, d_v). A state is nothing but m
    writes to m orthonormal keys, so m tokens that write it go before the others, and m tokens that
    ask for these keys come after them.
    """
    if q.shape[2] == 1:
        return F.delta_step(state, q, k, v, beta)
    xp, (*heads, m, _) = backend.namespace(state.data), state.shape
    names = wrap(xp.broadcast_to(xp.eye(m, dtype=state.dtype), (*heads, m, m)), None)
    nothing, ones = F.zeros_like(names), F.ones_like(names[..., 0])
    y = F.delta_rule(
        F.concatenate([nothing, q, names], axis=2),
        F.concatenate([names, k, nothing], axis=2),
        F.concatenate([state, v, F.zeros_like(state)], axis=2),
        F.concatenate([ones, beta, ones * 0], axis=2),
    )
    return y[:, :, m:-m], y[:, :, -m:]
