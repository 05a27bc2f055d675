"""Scaled dot-product attention as one step, by blocks of queries.

A block of 64 queries meets only the keys that it may see, so that with a causal mask the upper
half of the score matrix is never computed. Scores are kept with the keys on the second to last
axis, (S, block): the maximum and the sum over keys then run along whole rows of memory, several
times faster than across them. The weights are left unnormalised; dividing the (T, d) outputs by
the sums is cheaper than dividing the (T, S) weights.
"""

from typing import Any

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.fused.common import real_tensors
from minitx.autograd.fused.softmax import naive_softmax
from minitx.autograd.primitive import fused, wrap_constant
from minitx.autograd.record import note
from minitx.autograd.tensor import Tensor, wrap

BLOCK = 64


def _blocks(queries: int, keys: int, causal: bool):
    """(first query, last query, number of keys it may see), block by block."""
    for start in range(0, queries, BLOCK):
        stop = min(start + BLOCK, queries)
        yield start, stop, (max(0, keys - queries + stop) if causal else keys)


def _hide_future(xp, scores, start, stop, behind):
    """-inf where key > query + behind; ``scores`` holds keys 0..seen and queries start..stop."""
    first = max(0, start + behind + 1)  # the first key that some query of the block may not see
    keys = xp.arange(first, scores.shape[-2])[:, None]
    future = keys > xp.arange(start, stop) + behind
    scores[..., first:, :] += xp.where(future, -xp.inf, 0).astype(scores.dtype)


def _forward(xp, q, k, v, bias=None, *, mask, causal, scale):
    (*lead, queries, _), keys = q.shape, k.shape[-2]
    behind, width = keys - queries, v.shape[-1]
    # (B, T, H, d) in memory, seen as (B, H, T, d): joining the heads again costs nothing
    y = xp.swapaxes(xp.empty((lead[0], queries, lead[1], width), q.dtype), 1, 2)
    safe = mask is None and bias is None and behind >= 0 and keys > 0
    weights, totals = [], []
    for start, stop, seen in _blocks(queries, keys, causal):
        block = xp.swapaxes(q[..., start:stop, :] * scale, -1, -2)  # (B, H, d, block)
        scores = k[..., :seen, :] @ block  # (B, H, seen, block)
        if bias is not None:
            scores += xp.swapaxes(bias, -1, -2)[..., :seen, _columns(bias, start, stop)]
        if mask is not None:
            allowed = xp.swapaxes(mask, -1, -2)[..., : _rows(mask, seen), _columns(mask, start, stop)]
            scores = xp.where(allowed, scores, -xp.inf)
        if causal:
            _hide_future(xp, scores, start, stop, behind)
        if seen:
            top = scores.max(axis=-2, keepdims=True)
            scores -= top if safe else xp.where(xp.isfinite(top), top, 0)
        xp.exp(scores, out=scores)
        total = scores.sum(axis=-2)[..., None]  # (B, H, block, 1)
        if not safe:
            total = xp.where(total > 0, total, 1)  # a query that may attend to nothing gets zeros
        xp.matmul(xp.swapaxes(scores, -1, -2), v[..., :seen, :], out=y[..., start:stop, :])
        y[..., start:stop, :] /= total
        weights.append(scores)
        totals.append(total)
    return y, (weights, totals)


def _columns(x, start, stop):
    return slice(start, stop) if x.shape[-2] > 1 else slice(None)


def _rows(x, seen):
    return seen if x.shape[-1] > 1 else 1


def _backward(xp, g, y, residual, q, k, v, bias=None, *, mask, causal, scale):
    """d scores = weights * (d weights - sum over keys of weights * d weights), per query."""
    weights, totals = residual
    gq = _like_heads(xp, q)
    gk, gv = _like_heads(xp, k), _like_heads(xp, v)
    gk[...], gv[...] = 0, 0
    g_bias = None if bias is None else xp.zeros((*q.shape[:-1], k.shape[-2]), q.dtype)
    for i, (start, stop, seen) in enumerate(_blocks(q.shape[-2], k.shape[-2], causal)):
        here = g[..., start:stop, :] / totals[i]  # (B, H, block, d): normalises the weights below
        gv[..., :seen, :] += weights[i] @ here
        mean = (here * y[..., start:stop, :]).sum(axis=-1)[..., None, :]  # (B, H, 1, block)
        gs = v[..., :seen, :] @ xp.swapaxes(here, -1, -2)  # (B, H, seen, block)
        gs -= mean
        gs *= weights[i]
        if bias is not None:
            g_bias[..., start:stop, :seen] = xp.swapaxes(gs, -1, -2)
        gk[..., :seen, :] += gs @ (q[..., start:stop, :] * scale)
        xp.matmul(xp.swapaxes(gs, -1, -2), k[..., :seen, :], out=gq[..., start:stop, :])
    gq *= scale
    return [gq, gk, gv] if bias is None else [gq, gk, gv, g_bias]


def _like_heads(xp, x):
    """An array like x (B, H, T, d) that lies in memory as (B, T, H, d)."""
    b, h, t, d = x.shape
    return xp.swapaxes(xp.empty((b, t, h, d), x.dtype), 1, 2)


def naive_attention(q, k, v, bias=None, *, mask=None, causal=False, scale=None) -> Tensor:
    """softmax(q k^T scale + bias, where allowed) v, step by step.

    The weights (B, H, T, S) are noted as "weights", the scores before the softmax as "scores".
    """
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    scores = (q * scale) @ f.swapaxes(k, -1, -2)  # (B, H, T, S)
    if bias is not None:
        scores = scores + bias
    allowed = _allowed(q, k, mask, causal)
    if allowed is not None:
        scores = f.where(allowed, scores, float("-inf"))
    weights = note("weights", naive_softmax(note("scores", scores)))
    return weights @ v


def _allowed(q, k, mask, causal):
    """The boolean mask (..., T, S), or None if everything is allowed."""
    if not causal:
        return mask
    xp, queries, keys = backend.namespace(q.data), q.shape[-2], k.shape[-2]
    past = xp.arange(keys) <= xp.arange(queries)[:, None] + keys - queries
    return past if mask is None else mask & past


_attention = fused("attention", _forward, _backward, naive_attention)


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Any = None,
    causal: bool = False,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """softmax(q k^T / sqrt(d) + bias) v, over the keys that the mask allows.

    q (B, H, T, d); k (B, H', S, d) and v (B, H', S, d_v), where H' divides H and each key head
    serves H / H' query heads in a row; mask boolean, broadcast to (B, H, T, S), True = may
    attend; bias added to the scores, broadcast likewise -> (B, H, T, d_v). ``causal`` lets query
    t see keys up to t + S - T: the last query is aligned with the last key. ``scale`` replaces
    1 / sqrt(d). A query that may attend to nothing gets zeros.

    Raises ValueError for shapes that do not fit, TypeError for a mask that is not boolean.

    Source: Vaswani et al., "Attention Is All You Need" (2017): d_k = d.
    """
    given = [q, k, v] if bias is None else [q, k, v, bias]
    q, k, v, *rest = real_tensors(*given)
    _expect_heads(q, k, v)
    if k.shape[1] != q.shape[1]:
        k, v = (f.repeat(x, q.shape[1] // k.shape[1], 1) for x in (k, v))
    wanted = (*q.shape[:-1], k.shape[-2])
    if mask is not None:
        mask = wrap_constant(mask).data
        if mask.dtype.kind != "b":
            raise TypeError(f"attention expected a boolean mask (True = may attend), got {mask.dtype}")
        mask = _four_axes("mask", wrap(mask, None), wanted).data
    rest = [_four_axes("bias", x, wanted) for x in rest]
    scale = q.shape[-1] ** -0.5 if scale is None else float(scale)
    return _attention(q, k, v, *rest, mask=mask, causal=bool(causal), scale=scale)


def _expect_heads(q, k, v):
    good = q.ndim == k.ndim == v.ndim == 4 and q.shape[0] == k.shape[0] == v.shape[0]
    good = good and q.shape[-1] == k.shape[-1] and k.shape[1:3] == v.shape[1:3]
    if not good or not k.shape[1] or q.shape[1] % k.shape[1]:
        raise ValueError(
            "attention expected q (B, H, T, d), k (B, H', S, d), v (B, H', S, d_v) with H' "
            f"dividing H, got {q.shape}, {k.shape}, {v.shape}"
        )


def _four_axes(name, x, wanted):
    if x.ndim > 4 or any(
        n not in (1, m) for n, m in zip(x.shape[::-1], wanted[::-1], strict=False)
    ):
        raise ValueError(f"attention expected a {name} that broadcasts to {wanted}, got {x.shape}")
    return x if x.ndim == 4 else f.reshape(x, (1,) * (4 - x.ndim) + x.shape)
