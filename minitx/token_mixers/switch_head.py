"""SwitchHead: attention with few heads, whose values and outputs are mixtures of experts."""

import math
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.nn.experts import Chooser, Experts, leave_choice
from minitx.token_mixers.attention import Attention, MultiHeadAttention, head_width
from minitx.token_mixers.cache import Keys, KVCache
from minitx.token_mixers.heads import split_heads


class SwitchHead(MultiHeadAttention):
    """Attention where v_s = sum_e g_e(s) x_s V_e and out_t = sum_h sum_e g'_e(t) y_{t,h} O_e.

    x (B, T, D) -> (B, T, D). Each head has ``num_experts`` matrices V and as many O, of which a
    token takes the ``top`` with the largest sigmoid scores: the token heard chooses the values,
    the token that hears chooses the outputs. Queries and keys are dense; there are no biases.
    Within ``PeriNorm`` queries, keys and scores are made from the normed x, values from x itself.
    ``balance`` is the weight of the loss that spreads the choices; more keywords: ``Attention``.

    Source: Csordas et al., "SwitchHead" (2023): E = num_experts, k = top, n_heads = num_heads.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_experts: int,
        top: int,
        d_head: int | None = None,
        *,
        balance: float = 0.001,
        rng: Any = None,
        **options: Any,
    ):
        d_head = d_head or head_width(d_model, num_heads)
        Attention.__init__(self, num_heads, num_heads, d_head, **options)
        rng, self.balance = backend.generator(rng), balance
        all_experts = num_heads * num_experts
        self.qk = nn.Linear(d_model, 2 * num_heads * d_head, bias=False, rng=rng)
        self.choose_values = Chooser(d_model, num_experts, top, num_heads, rng=rng)
        self.choose_outputs = Chooser(d_model, num_experts, top, num_heads, rng=rng)
        self.values = Experts(all_experts, d_model, d_head, rng=rng)
        self.outputs = Experts(all_experts, d_head, d_model, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        q, keys, mask = self.ask(x, ctx)
        return self._mixed(self.attend(q, keys, ctx.coords, mask), x, ctx)

    def step(self, x: Tensor, state: KVCache, ctx: Context) -> tuple[Tensor, KVCache]:
        q, keys, mask = self.ask(x, ctx)
        cache = state.append(keys)
        y = self.attend(q, cache.keys, ctx.coords, mask)
        return self._mixed(y, x, ctx), cache.trimmed()

    def ask(self, x: Tensor, ctx: Context) -> tuple[Tensor, Keys, Any]:
        normed, (b, t, d_model) = ctx.shared.get("normed", x), x.shape
        q, k = split_heads(self.qk(normed), self.num_heads, self.num_heads)
        q, k = self.placed(q, k, ctx.coords, ctx.coords)
        index, gates = self._chosen(self.choose_values, normed, ctx)  # (N, H, K)
        v = self.values(F.reshape(x, (b * t, d_model)), index.reshape(b * t, index[0].size))
        v = F.reshape(v, (*gates.shape, self.d_head)) * F.expand_dims(gates, -1)
        v = F.reshape(F.sum(v, axis=2), (b, t, self.num_heads, self.d_head))
        return q, Keys(k, F.swapaxes(v, 1, 2), ctx.coords, ctx.valid), ctx.mask

    def _chosen(self, choose: Chooser, normed: Tensor, ctx: Context) -> tuple[Any, Tensor]:
        """For all N tokens: which of all heads' experts, and the gates, both (N, H, K)."""
        index, gates, logits = choose(normed)
        leave_choice(ctx, choose, logits, self.balance)
        xp = backend.namespace(index)
        first = xp.arange(choose.sets)[:, None] * choose.experts  # where each head's experts begin
        shape = (math.prod(normed.shape[:-1]), choose.sets, choose.top)
        return (index + first).reshape(shape), F.reshape(gates, shape)

    def _mixed(self, y: Tensor, x: Tensor, ctx: Context) -> Tensor:
        """The joined heads y (B, T, H d) through the outputs that the tokens x choose."""
        y = y if self.inner_norm is None else self.inner_norm(y)
        index, gates = self._chosen(self.choose_outputs, ctx.shared.get("normed", x), ctx)
        n, h, k = gates.shape
        rows = F.reshape(y, (n * h, self.d_head))
        out = self.outputs(rows, index.reshape(n * h, k))  # (N H, K, D)
        out = F.reshape(out, (n, h * k, x.shape[-1])) * F.reshape(gates, (n, h * k, 1))
        return F.reshape(F.sum(out, axis=1), x.shape)
