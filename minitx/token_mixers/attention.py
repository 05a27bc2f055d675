"""Softmax attention with several heads: every token asks, every token answers.

    y = concat_h( softmax(q_h k_h^T / sqrt(d) + bias, where allowed) v_h ) W_o

Fills the slot "token mixer". Positions and other ideas enter through ``Hooks``, masks through
``Mask`` objects, what replaces the softmax through ``normalise``; attention itself has no flags.
"""

from collections.abc import Callable, Sequence
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.fused.softmax import softmax_in_place
from minitx.autograd.graph import mode
from minitx.autograd.record import note
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context, TokenMixer
from minitx.positions.hooks import Hooks
from minitx.token_mixers.cache import Keys, KVCache
from minitx.token_mixers.heads import join_heads, split_heads
from minitx.token_mixers.masks import Causal, Mask, Padding, Pairs, Window, as_mask, resolve


class Attention(TokenMixer):
    """What self- and cross-attention share: everything after q, k and v are there.

    position, hooks: ``Hooks``; the position comes last. mask: which pairs may ever meet, beside
    what the Context says. normalise: what turns scores into weights (softmax).
    inner_norm: a norm of the joined heads (B, T, H d), before the output projection.
    """

    def __init__(
        self,
        num_heads: int,
        num_kv_heads: int,
        d_head: int,
        *,
        position: Hooks | None = None,
        hooks: Sequence[Hooks] = (),
        mask: Mask | None = None,
        normalise: Callable[[Tensor], Tensor] | None = None,
        inner_norm: nn.Module | None = None,
    ):
        if num_heads < 1 or num_kv_heads < 1 or num_heads % num_kv_heads:
            raise ValueError(
                f"expected heads of keys that divide the heads, got {num_kv_heads} and {num_heads}"
            )
        self.num_heads, self.num_kv_heads, self.d_head = num_heads, num_kv_heads, d_head
        self.hooks = [*hooks, *([] if position is None else [position])]
        self.mask = None if mask is None else as_mask(mask)
        self.normalise = normalise
        self.inner_norm = inner_norm

    def ask(self, x: Tensor, ctx: Context) -> tuple[Tensor, Keys, Any]:
        """The queries (B, H, T, d) of x, the Keys they are put to, and the Context's mask."""
        raise TypeError(f"{type(self).__name__} does not define ask")

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        q, keys, mask = self.ask(x, ctx)
        return self.result(self.attend(q, keys, ctx.coords, mask))

    def weights(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        """The attention weights (B, H, T, S) that ``forward`` mixes the values with."""
        ctx = Context.of(x) if ctx is None else ctx
        q, keys, mask = self.ask(x, ctx)
        allowed, causal = self._allowed(q, keys, ctx.coords, mask)
        return self._in_the_open(q, keys, ctx.coords, allowed, causal)[1]

    def attend(self, q: Tensor, keys: Keys, coords: Any, mask: Any = None) -> Tensor:
        """Queries (B, H, T, d) at ``coords`` hear ``keys``: (B, T, H d)."""
        allowed, causal = self._allowed(q, keys, coords, mask)
        if self.normalise is None and all(hook.keeps_softmax() for hook in self.hooks):
            bias = self._bias(coords, keys.coords, q.dtype)
            if bias is None and self._asks_once(q, allowed):
                return self._one_query(q, keys, allowed)
            y = F.attention(q, keys.k, keys.v, mask=allowed, causal=causal, bias=bias)
        else:
            y, _ = self._in_the_open(q, keys, coords, allowed, causal)
        return join_heads(y)

    def _allowed(self, q: Tensor, keys: Keys, coords: Any, mask: Any) -> tuple[Any, bool]:
        xp = backend.namespace(q.data)
        pairs = Pairs(q.shape[2], keys.length, coords, keys.coords, xp)
        padding = None if keys.valid is None else Padding(keys.valid)
        return resolve([self.mask, mask, padding], pairs)

    def _bias(self, coords_q: Any, coords_k: Any, dtype: Any) -> Tensor | None:
        found = None
        for hook in self.hooks:
            bias = hook.bias(coords_q, coords_k)
            if bias is not None:
                bias = F.astype(bias, dtype)
                found = bias if found is None else found + bias
        return found

    def _asks_once(self, q: Tensor, allowed: Any) -> bool:
        """Whether there is one query, whose heads may hear the same keys."""
        alike = allowed is None or allowed.ndim < 4 or allowed.shape[1] == 1
        return q.shape[2] == 1 and alike and not mode.naive

    def _one_query(self, q: Tensor, keys: Keys, allowed: Any) -> Tensor:
        """One token: the heads that share a key head are its queries, and no key is copied."""
        b, h, _, d = q.shape
        grouped = (b, self.num_kv_heads, h // self.num_kv_heads, d)  # (B, H', H / H', d)
        if not mode.recording:
            y = mix(q.data.reshape(grouped), keys.k.data, keys.v.data, allowed)
            return wrap(y.reshape(b, 1, -1), None)
        y = F.attention(F.reshape(q, grouped), keys.k, keys.v, mask=allowed)
        return F.reshape(y, (b, 1, -1))

    def _in_the_open(self, q, keys, coords, allowed, causal) -> tuple[Tensor, Tensor]:
        """Attention step by step, each hook called at its place: (W v (B, H, T, d), W)."""
        k, v = keys.k, keys.v
        if self.num_heads > self.num_kv_heads:
            k, v = (F.repeat(x, self.num_heads // self.num_kv_heads, axis=1) for x in (k, v))
        where = (coords, keys.coords)
        q = q * self.d_head**-0.5
        scores = q @ F.swapaxes(k, -1, -2)  # (B, H, T, S)
        for hook in self.hooks:
            scores = hook.scores(scores, q, k, *where)
        if causal:
            xp = backend.namespace(q.data)
            past = Causal().allowed(Pairs(q.shape[2], keys.length, *where, xp))
            allowed = past if allowed is None else allowed & past
        if allowed is not None:
            scores = F.where(allowed, scores, float("-inf"))
        weights = (self.normalise or F.softmax)(note("scores", scores))
        for hook in self.hooks:
            weights = hook.weights(weights, *where)
        weights = note("weights", weights)
        mixed = weights @ v  # (B, H, T, d)
        for hook in self.hooks:
            mixed = hook.values(mixed, weights, v, *where)
        return mixed, weights

    def placed(self, q: Tensor, k: Tensor, coords_q: Any, coords_k: Any) -> tuple[Tensor, Tensor]:
        """Queries and keys after the hooks have told them where they are."""
        for hook in self.hooks:
            if coords_q is None or coords_k is None:
                raise ValueError(
                    f"{type(hook).__name__} needs coordinates: give the Context coords (B, T, p)"
                )
            q, k = hook.queries_and_keys(q, k, coords_q, coords_k)
        return q, k

    def result(self, y: Tensor) -> Tensor:
        """The joined heads (B, T, H d) projected back to the model's width."""
        return self.out(y if self.inner_norm is None else self.inner_norm(y))


class MultiHeadAttention(Attention):
    """Self-attention: the tokens of a sequence hear one another.

    x (B, T, D) -> (B, T, D). With fewer ``num_kv_heads`` than ``num_heads`` each key head serves
    several query heads (grouped queries; one key head: multi-query). It runs step by step if its
    mask is causal. Further keywords (position, hooks, mask, normalise, inner_norm): ``Attention``.

    >>> from minitx import Tensor
    >>> from minitx.positions import Rotary
    >>> attention = MultiHeadAttention(64, 4, position=Rotary(16), mask=Causal(), rng=0)
    >>> attention(Tensor([[[0.5] * 64] * 3])).shape
    (1, 3, 64)

    Raises ValueError when the heads do not divide d_model (unless d_head is given).

    Source: Vaswani et al., "Attention Is All You Need" (2017): h = num_heads, d_k = d_v = d_head.
    Ainslie et al., "GQA" (2023): G = num_kv_heads.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_kv_heads: int | None = None,
        d_head: int | None = None,
        *,
        bias: bool = True,
        rng: Any = None,
        **options: Any,
    ):
        d_head = d_head or head_width(d_model, num_heads)
        super().__init__(num_heads, num_kv_heads or num_heads, d_head, **options)
        rng = backend.generator(rng)
        rows = self.num_heads + 2 * self.num_kv_heads
        self.qkv = nn.Linear(d_model, rows * d_head, bias=bias, rng=rng)
        self.out = nn.Linear(num_heads * d_head, d_model, bias=bias, rng=rng)

    def project(self, x: Tensor, ctx: Context) -> tuple[Tensor, Tensor, Tensor]:
        """q (B, H, T, d), k and v (B, H', T, d), each knowing where it is."""
        kv = self.num_kv_heads
        q, k, v = split_heads(self.qkv(x), self.num_heads, kv, kv)
        return *self.placed(q, k, ctx.coords, ctx.coords), v

    def ask(self, x: Tensor, ctx: Context) -> tuple[Tensor, Keys, Any]:
        q, k, v = self.project(x, ctx)
        return q, Keys(k, v, ctx.coords, ctx.valid), ctx.mask

    def init_state(self, batch: int) -> KVCache:
        rules = [] if self.mask is None else self.mask.parts()
        if not any(rule.causal for rule in rules):
            raise TypeError(
                "attention runs step by step only if its mask is causal: "
                "MultiHeadAttention(..., mask=Causal())"
            )
        return KVCache(min((r.size for r in rules if isinstance(r, Window)), default=None))

    def step(self, x: Tensor, state: KVCache, ctx: Context) -> tuple[Tensor, KVCache]:
        q, keys, mask = self.ask(x, ctx)
        cache = state.append(keys)
        y = self.attend(q, cache.keys, ctx.coords, mask)
        return self.result(y), cache.trimmed()


def mix(q: Any, k: Any, v: Any, allowed: Any = None) -> Any:
    """Attention of arrays, without blocks and without a graph: what few queries need.

    q (B, H, T, d), k and v (B, H, S, d), allowed broadcasts to (B, H, T, S) -> (B, H, T, d).
    """
    xp = backend.namespace(q)
    scores = (q * q.shape[-1] ** -0.5) @ k.swapaxes(-1, -2)  # (B, H, T, S)
    if allowed is not None:
        return softmax_in_place(xp, xp.where(allowed, scores, -xp.inf)) @ v
    scores -= scores.max(axis=-1, keepdims=True)  # every row has a maximum, and a sum above 0
    xp.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores @ v


def head_width(d_model: int, num_heads: int) -> int:
    """d_model / num_heads; a ValueError if that is not a whole number."""
    if num_heads < 1 or d_model % num_heads:
        raise ValueError(f"expected heads that divide d_model {d_model}, got {num_heads}")
    return d_model // num_heads
