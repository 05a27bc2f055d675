"""Scaled dot-product attention as one step, by blocks of queries.

A block of 32 queries meets only the keys that it may see, so that with a causal mask the upper
half of the score matrix is never computed, and so few sequences are taken at once that their
scores stay in cache. Scores are kept with the keys on the second to last axis, (S, block): the
maximum and the sum over keys then run along whole rows of memory, several times faster than
across them. A query's maximum is looked for only where a score is so great, or so low, that exp
might not bear it.
"""

from functools import lru_cache
from typing import Any

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.fused import tiles
from minitx.autograd.fused.common import real_tensors, row_dot
from minitx.autograd.fused.softmax import naive_softmax
from minitx.autograd.primitive import fused
from minitx.autograd.record import note
from minitx.autograd.tensor import Tensor, wrap, wrap_constant
from minitx.backend import device_of

BLOCK = 32  # queries
_CACHED = 1 << 18  # scores: 1 MiB of float32
_LONG = 1 << 21  # queries times keys: from here on by tiles, which are no slower then
_SAFE = 60.0  # exp of any number up to this, summed over any number of keys, fits into float32


def _blocks(shape: tuple, keys: int, causal: bool):
    """(sequences, queries, number of keys that these queries may see), block by block."""
    batch, heads, queries, _ = shape
    step = max(1, _CACHED // max(1, heads * keys * min(BLOCK, queries)))
    for first in range(0, batch, step):
        for start in range(0, queries, BLOCK):
            stop = min(start + BLOCK, queries)
            seen = max(0, keys - queries + stop) if causal else keys
            yield slice(first, first + step), slice(start, stop), seen


def _hide_future(xp, scores, queries, behind):
    """-inf where key > query + behind; ``scores`` (B, H, S, block)."""
    first = max(0, queries.start + behind + 1)  # the first key that some query may not see
    shape = scores.shape[-2] - first, queries.stop - queries.start
    hidden = scores[..., first:, :]
    hidden += _future(xp, *shape, queries.start + behind - first, scores.dtype)


@lru_cache(maxsize=64)
def _future(xp, keys, queries, behind, dtype):
    """-inf where key > query + behind, 0 elsewhere: (keys, queries)."""
    future = xp.arange(keys)[:, None] > xp.arange(queries) + behind
    return xp.where(future, -xp.inf, 0).astype(dtype)


def _part(x, batch, queries, seen):
    """A mask or bias (1 or B, 1 or H, 1 or T, 1 or S) for one block, transposed like the scores."""
    b, _, t, s = x.shape
    part = x[batch if b > 1 else slice(None), :, queries if t > 1 else slice(None)]
    return part[..., : seen if s > 1 else 1].swapaxes(-1, -2)


def _turned(xp, x):
    """The last two axes exchanged, in memory too: products of small matrices are faster so."""
    return xp.ascontiguousarray(x.swapaxes(-1, -2))


def _lower(xp, scores):
    """Subtract from scores (B, H, S, block) each query's maximum, where exp could not bear it."""
    top = scores.max(axis=-2, keepdims=True)
    scores -= xp.where((abs(top) > _SAFE) & xp.isfinite(top), top, 0)


def _calm(xp, scores) -> bool:
    """Whether no score is so large that ``_lower`` would do anything: two looks, no pass more."""
    if not scores.size or device_of(scores) != "cpu":
        return not scores.size  # to look at a GPU's numbers is to wait for it
    return bool(scores.min() > -_SAFE and scores.max() < _SAFE)


def _forward(xp, q, k, v, bias=None, *, mask, causal, scale):
    behind = k.shape[-2] - q.shape[-2]
    y, weights = tiles.like_heads(xp, q, v.shape[-1]), []
    for batch, queries, seen in _blocks(q.shape, k.shape[-2], causal):
        block = _turned(xp, q[batch, :, queries]) * scale  # (B, H, d, block)
        scores = k[batch, :, :seen] @ block  # (B, H, seen, block)
        if bias is not None:
            scores += _part(bias, batch, queries, seen)
        calm = _calm(xp, scores)
        if mask is not None:
            scores = xp.where(_part(mask, batch, queries, seen), scores, -xp.inf)
        if causal:
            _hide_future(xp, scores, queries, behind)
        if not calm:
            _lower(xp, scores)
        xp.exp(scores, out=scores)
        total = xp.ones((1, seen), q.dtype) @ scores  # (B, H, 1, block)
        if mask is not None or bias is not None or behind < 0:
            total[total == 0] = 1  # a query that may attend to nothing gets zeros
        scores /= total
        xp.matmul(scores.swapaxes(-1, -2), v[batch, :, :seen], out=y[batch, :, queries])
        weights.append(scores)
    return y, weights


def _backward(xp, g, y, weights, q, k, v, bias=None, *, mask, causal, scale):
    """d scores = weights * (d weights - sum over keys of weights * d weights), per query."""
    gq, gk, gv = tiles.like_heads(xp, q), xp.empty(k.shape, k.dtype), xp.empty(v.shape, v.dtype)
    g_bias = None if bias is None else xp.zeros((*q.shape[:-1], k.shape[-2]), q.dtype)
    mean, keys = _dots(xp, g, y).swapaxes(-1, -2), k.shape[-2]  # (B, H, 1, T)
    blocks = list(_blocks(q.shape, keys, causal))
    if not blocks or blocks[-1][2] < keys:
        gk[...], gv[...] = 0, 0
    for i in reversed(range(len(blocks))):  # the last queries come first: they see every key
        batch, queries, seen = blocks[i]
        here, past = g[batch, :, queries], (batch, slice(None), slice(seen))
        gs = v[past] @ _turned(xp, here)  # (B, H, seen, block)
        gs -= mean[batch, ..., queries]
        gs *= weights[i]
        if bias is not None:
            g_bias[batch, :, queries, :seen] = gs.swapaxes(-1, -2)
        is_first = queries.stop == q.shape[-2] and seen == keys
        _add_product(xp, gv[past], weights[i], here, is_first)
        _add_product(xp, gk[past], gs, q[batch, :, queries], is_first)
        xp.matmul(gs.swapaxes(-1, -2), k[past], out=gq[batch, :, queries])
    gq *= scale
    gk *= scale
    return [gq, gk, gv] if bias is None else [gq, gk, gv, g_bias]


def _dots(xp, g, y):
    """The sums of g * y over rows (B, H, T, d), where they are short as one product."""
    width = y.shape[-1]
    return row_dot(xp, g, y) if width > 32 else (g * y) @ xp.ones((width, 1), y.dtype)


def _add_product(xp, total, a, b, is_first):
    """total += a @ b, or total = a @ b where nothing has been added before."""
    if is_first:
        xp.matmul(a, b, out=total)
    else:
        total += a @ b


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
_tiled = fused("tiled_attention", tiles.forward, tiles.backward, naive_attention)


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

    Memory: weights are kept for the backward computation, B H T S numbers, until T S reaches
    2 million; from there on (without a bias) work goes by tiles, in memory linear in T and S.

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
            raise TypeError(
                f"attention expected a boolean mask (True = may attend), got {mask.dtype}"
            )
        mask = _four_axes("mask", wrap(mask, None), wanted).data
    rest = [_four_axes("bias", x, wanted) for x in rest]
    scale = q.shape[-1] ** -0.5 if scale is None else float(scale)
    by_tiles = not rest and q.shape[-2] * k.shape[-2] >= _LONG
    apply = _tiled if by_tiles else _attention
    return apply(q, k, v, *rest, mask=mask, causal=bool(causal), scale=scale)


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
