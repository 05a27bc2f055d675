"""Attention by tiles of queries and keys: memory that grows with the length, not with its square.

A softmax can be taken without ever holding a whole row of scores. Keep the greatest score so far,
the sum of exp(score - greatest), and the values added up with these weights; when a tile of keys
brings a greater score, what was added up before shrinks by exp(old - new). The backward
computation needs a single number a query, the logarithm of its sum, and makes the weights anew.

Source: Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018); Dao et al.,
"FlashAttention" (2022).
"""

from collections.abc import Iterator
from typing import Any

QUERIES, KEYS = 128, 512  # a tile of scores is 256 KiB of float32


def tiles(queries: int, keys: int, causal: bool) -> Iterator[tuple[slice, list[slice]]]:
    """Rows of queries, each with the tiles of keys that some of them may see."""
    for start in range(0, queries, QUERIES):
        stop = min(start + QUERIES, queries)
        seen = max(0, keys - queries + stop) if causal else keys
        yield slice(start, stop), [slice(i, min(i + KEYS, seen)) for i in range(0, seen, KEYS)]


def _scores(xp: Any, turned: Any, k: Any, at: tuple, rows: slice, cols: slice, mask, behind) -> Any:
    """Scores of one tile, -inf where hidden; keys first, (keys, queries), so that sums over keys
    run along whole rows of memory. ``behind`` is S - T with a causal mask, else None."""
    scores = k[cols] @ turned
    if behind is not None and cols.stop - 1 > rows.start + behind:
        future = xp.arange(cols.start, cols.stop)[:, None] > (
            xp.arange(rows.start, rows.stop) + behind
        )
        scores[future] = -xp.inf
    if mask is not None:
        b, h, t, s = mask.shape
        part = mask[at[0] if b > 1 else 0, at[1] if h > 1 else 0]
        part = part[rows if t > 1 else slice(None), cols if s > 1 else slice(None)]
        scores = xp.where(part.T, scores, -xp.inf)
    return scores


def forward(xp: Any, q: Any, k: Any, v: Any, *, mask: Any, causal: bool, scale: float) -> tuple:
    """(y, log of the sum of exp(scores) of each query); shapes as in ``attention``."""
    y = like_heads(xp, q, v.shape[-1])
    logs = xp.empty(q.shape[:-1], q.dtype)
    behind = k.shape[-2] - q.shape[-2] if causal else None
    for at in _heads(q):
        keys, values = k[at], v[at]
        for rows, columns in tiles(q.shape[-2], k.shape[-2], causal):
            turned = xp.ascontiguousarray((q[at][rows] * scale).T)  # (d, queries)
            top = xp.full(turned.shape[-1:], -xp.inf, q.dtype)
            total, mixed = xp.zeros_like(top), xp.zeros((len(top), v.shape[-1]), q.dtype)
            for cols in columns:
                scores = _scores(xp, turned, keys, at, rows, cols, mask, behind)
                greater = xp.maximum(top, scores.max(axis=0))
                finite = xp.where(xp.isfinite(greater), greater, 0)  # nothing seen yet: no shift
                scores -= finite
                xp.exp(scores, out=scores)
                fade = xp.exp(top - finite)
                total = total * fade + xp.ones((1, len(scores)), q.dtype) @ scores
                mixed *= fade[:, None]
                mixed += scores.T @ values[cols]
                top, total = greater, total.reshape(-1)
            nothing = total == 0  # a query that may attend to nothing gets zeros
            total[nothing], top[nothing] = 1, 0
            xp.divide(mixed, total[:, None], out=y[at][rows])
            logs[at][rows] = top + xp.log(total)
    return y, logs


def backward(
    xp: Any, g: Any, y: Any, logs: Any, q: Any, k: Any, v: Any, *, mask: Any, causal: bool,
    scale: float,
) -> list:  # fmt: skip
    """The cotangents of q, k, v; the weights of each tile are made anew: exp(scores - logs)."""
    gq, gk, gv = (like_heads(xp, x) for x in (q, k, v))
    behind = k.shape[-2] - q.shape[-2] if causal else None
    for x in (gq, gk, gv):
        x[...] = 0
    for at in _heads(q):
        gqs, gks, gvs = gq[at], gk[at], gv[at]
        for rows, columns in tiles(q.shape[-2], k.shape[-2], causal):
            here, scaled = g[at][rows], q[at][rows] * scale
            turned, g_turned = xp.ascontiguousarray(scaled.T), xp.ascontiguousarray(here.T)
            mean = (here * y[at][rows]).sum(axis=-1)  # sum over keys of weights * d weights
            for cols in columns:
                weights = _scores(xp, turned, k[at], at, rows, cols, mask, behind)
                weights -= logs[at][rows]
                xp.exp(weights, out=weights)
                _add(gvs[cols], weights @ here)
                gs = v[at][cols] @ g_turned
                gs -= mean
                gs *= weights
                _add(gks[cols], gs @ scaled)
                _add(gqs[rows], gs.T @ k[at][cols])
    gq *= scale
    return [gq, gk, gv]


def _add(part: Any, x: Any) -> None:
    part += x  # through a name: ``y[here] += x`` would write the sum into y once more


def _heads(q: Any) -> list[tuple[int, int]]:
    return [(b, h) for b in range(q.shape[0]) for h in range(q.shape[1])]


def like_heads(xp: Any, x: Any, width: int | None = None) -> Any:
    """An array like x (B, H, T, d) that lies in memory as (B, T, H, d): joining heads is free."""
    b, h, t, d = x.shape
    return xp.empty((b, t, h, width or d), x.dtype).swapaxes(1, 2)
