"""Causal linear attention as one step, by chunks of tokens.

Without a softmax the sums over the past are those of a recurrence with a state S (m, d_v)::

    S_t = a_t S_{t-1} + k_t v_t^T        y_t = S_t^T q_t

which can be read in three ways that give the same numbers: token by token (``recurrent_``, a loop
of T small steps), all at once (``quadratic_``, the masked matrix q k^T, T^2 scores), and by chunks:
the matrix within a chunk, the state between chunks. Chunks do linear work, in products that are
large enough to be fast. Their backward computation keeps no state of any token. It runs the
recurrence once more for the queries, and backwards for keys and values, with R = the sum of
q_t g_t^T over what comes after. The gradient of a log decay is the sum of q . dq - k . dk from its
step on: taken to the end of the chunk, and beyond it that sum is <S, R>.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.fused.common import real_tensors, row_dot
from minitx.autograd.primitive import fused
from minitx.autograd.tensor import Tensor, wrap

_CACHED = 1 << 16  # numbers of a kind that are at work at once, 256 KiB of float32


class Kept(NamedTuple):
    """How much of what was said is kept, within a chunk of C steps; None where all of it is.

    within (C, C): of step j at step i, 0 for j > i. before (C, 1): of the state before the chunk,
    at each step. after (C, 1): of each step, at the end. through (1, 1): of the state, at the end.
    """

    within: Any
    before: Any = None
    after: Any = None
    through: Any = None


def _kept(space: Any, past: Any, log_decay: Any) -> Kept:
    """From the logarithms (..., C) of what each step keeps; arrays or Tensors."""
    total = space.cumsum(log_decay, axis=-1)[..., None]  # (..., C, 1)
    gap = total - total.swapaxes(-1, -2)  # (..., C, C), above 0 in the future
    last = total[..., -1:, :]
    within = space.exp(space.where(past, gap, -float("inf")))
    return Kept(within, space.exp(total), space.exp(last - total), space.exp(last))


def _groups(xp: Any, like: Any, log_decay: Any, chunk: int) -> Iterator[tuple[slice, int, Kept]]:
    """(tokens, in how many chunks, what these keep): chunks of C steps, a cacheful at a time."""
    b, h, length, width = like.shape
    many, whole = max(1, _CACHED // (max(1, b * h) * chunk * max(chunk, width))), length // chunk
    spans = [(i * chunk, min(many, whole - i), chunk) for i in range(0, whole, many)]
    if whole * chunk < length:
        spans.append((whole * chunk, 1, length - whole * chunk))
    for start, count, steps in spans:
        past = xp.tril(xp.ones((steps, steps), bool))
        kept, tokens = Kept(past.astype(like.dtype)), slice(start, start + count * steps)
        if log_decay is not None:
            decays = log_decay[..., tokens].reshape(*log_decay.shape[:2], count, steps)
            kept = _kept(xp, past, decays)
        yield tokens, count, kept


def _split(x: Any, tokens: slice, count: int) -> Any:
    """(B, H, T, d): a view of the tokens, (B, H, count, C, d)."""
    b, h, _, width = x.shape
    return x[:, :, tokens].reshape(b, h, count, (tokens.stop - tokens.start) // count, width)


def _times(x: Any, factor: Any) -> Any:
    return x if factor is None else x * factor


def _turned(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _before(xp, state, added, through, backwards=False):
    """(The state that each chunk finds, the last one), from what each adds."""
    found, order = xp.empty_like(added), range(added.shape[2])
    for i in reversed(order) if backwards else order:
        found[:, :, i] = state
        kept = None if through is None else through[:, :, i]
        state = _times(state, kept) + added[:, :, i]
    return found, state


def _forward(xp, q, k, v, log_decay=None, *, chunk):
    y, state, scores = _like_heads(xp, v), _no_state(xp, q, v), []
    for tokens, count, kept in _groups(xp, q, log_decay, chunk):
        qs, ks, vs, ys = (_split(x, tokens, count) for x in (q, k, v, y))
        weights = qs @ xp.ascontiguousarray(_turned(ks))  # (B, H, count, C, C)
        weights *= kept.within
        xp.matmul(weights, vs, out=ys)
        added = _turned(_times(ks, kept.after)) @ vs
        states, state = _before(xp, state, added, kept.through)
        ys += _times(qs, kept.before) @ states
        scores.append(weights)
    return y, scores


def _backward(xp, g, y, scores, q, k, v, log_decay=None, *, chunk):
    gq, gk, gv = (_like_heads(xp, x) for x in (q, k, v))
    groups, slopes, ends = list(_groups(xp, q, log_decay, chunk)), [], []
    state = _no_state(xp, q, v)
    for tokens, count, kept in groups:
        gs, ks, vs, gqs = (_split(x, tokens, count) for x in (g, k, v, gq))
        slope = gs @ xp.ascontiguousarray(_turned(vs))  # (B, H, count, C, C)
        slope *= kept.within
        xp.matmul(slope, ks, out=gqs)
        added = _turned(_times(ks, kept.after)) @ vs
        states, state = _before(xp, state, added, kept.through)
        gqs += _times(gs, kept.before) @ xp.ascontiguousarray(_turned(states))
        slopes.append(slope)
        if log_decay is not None:
            ends.append(xp.concatenate([states[:, :, 1:], state[:, :, None]], axis=2))
    asked = _no_state(xp, q, v)  # R: by what comes after the chunk
    g_decay = None if log_decay is None else xp.empty(q.shape[:3], q.dtype)
    for tokens, count, kept in reversed(groups):
        slope, weights = slopes.pop(), scores[len(slopes)]
        qs, ks, vs, gs, gqs, gks, gvs = (_split(x, tokens, count) for x in (q, k, v, g, gq, gk, gv))
        added = _turned(_times(qs, kept.before)) @ gs
        wanted, asked = _before(xp, asked, added, kept.through, backwards=True)
        xp.matmul(_turned(slope), qs, out=gks)
        gks += _times(vs, kept.after) @ xp.ascontiguousarray(_turned(wanted))
        xp.matmul(_turned(weights), gs, out=gvs)
        gvs += _times(ks, kept.after) @ wanted
        if log_decay is not None:
            felt = row_dot(xp, qs, gqs) - row_dot(xp, ks, gks)  # (B, H, count, C, 1)
            later = xp.flip(xp.cumsum(xp.flip(felt[..., 0], -1), axis=-1), -1)
            later += (ends.pop() * wanted).sum(axis=(-2, -1))[..., None]
            g_decay[:, :, tokens] = later.reshape(g_decay[:, :, tokens].shape)
    if log_decay is None:
        return [gq, gk, gv]
    g_decay[..., :1] = 0  # before the first step there was nothing to keep
    return [gq, gk, gv, g_decay]


def _like_heads(xp: Any, x: Any) -> Any:
    """An empty array like x (B, H, T, d) that lies in memory as (B, T, H, d)."""
    b, h, t, d = x.shape
    return xp.empty((b, t, h, d), x.dtype).swapaxes(1, 2)


def _no_state(xp: Any, q: Any, v: Any) -> Any:
    return xp.zeros((*q.shape[:2], q.shape[-1], v.shape[-1]), q.dtype)


# ------------------------------------------------------------------------ in ordinary primitives


def kept_of(log_decay: Tensor) -> Kept:
    """What a chunk of tokens keeps, as Tensors; log_decay (..., C)."""
    xp, steps = backend.namespace(log_decay.data), log_decay.shape[-1]
    return _kept(f, xp.tril(xp.ones((steps, steps), bool)), log_decay)


def naive_linear_attention(q, k, v, log_decay=None, *, chunk) -> Tensor:
    """Chunk by chunk, step by step: weights within a chunk, and a state from one to the next."""
    state, parts = wrap(_no_state(backend.namespace(q.data), q, v), None), []
    for start in range(0, max(q.shape[2], 1), chunk):
        here = (slice(None), slice(None), slice(start, start + chunk))
        scores = q[here] @ _turned(k[here])  # (B, H, C, C)
        if log_decay is None:
            kept, weights = Kept(None), f.tril(scores)
        else:
            kept = kept_of(log_decay[here])
            weights = scores * kept.within
        parts.append(weights @ v[here] + _times(q[here], kept.before) @ state)
        added = _turned(_times(k[here], kept.after)) @ v[here]  # (B, H, m, d_v)
        state = _times(state, kept.through) + added
    return f.concatenate(parts, axis=2)


def quadratic_linear_attention(
    q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor | None = None
) -> Tensor:
    """The same function all at once: (q k^T, masked and decayed) v, T^2 scores.

    Arguments, result and errors are those of ``linear_attention``.
    """
    q, k, v, *decay = _checked(q, k, v, log_decay)
    weights = f.tril(q @ _turned(k))  # (B, H, T, T)
    if decay:
        weights = weights * kept_of(decay[0]).within
    return weights @ v


def recurrent_linear_attention(
    q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor | None = None
) -> Tensor:
    """The same function token by token: S_t = a_t S_{t-1} + k_t v_t^T, y_t = S_t^T q_t.

    Arguments, result and errors are those of ``linear_attention``.
    """
    q, k, v, *decay = _checked(q, k, v, log_decay)
    state, parts = wrap(_no_state(backend.namespace(q.data), q, v), None), []
    if decay:
        keep = f.broadcast_to(f.exp(decay[0]), q.shape[:3])[..., None, None]  # (B, H, T, 1, 1)
    for t in range(q.shape[2]):
        if decay:
            state = state * keep[:, :, t]
        state = state + k[:, :, t, :, None] * v[:, :, t, None, :]  # (B, H, m, d_v)
        parts.append(q[:, :, t, None, :] @ state)  # (B, H, 1, d_v)
    return f.concatenate(parts, axis=2) if parts else v


_linear_attention = fused("linear_attention", _forward, _backward, naive_linear_attention)


def linear_attention(
    q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor | None = None, chunk: int = 64
) -> Tensor:
    """sum over j <= t of a_t a_{t-1} ... a_{j+1} (q_t . k_j) v_j: attention without a softmax.

    q, k (B, H, T, m); v (B, H, T, d_v); log_decay = log a, finite, at most 0, broadcasts to
    (B, H, T); None is no decay -> (B, H, T, d_v).
    Work and memory grow linearly with T; ``chunk`` changes the speed, and the result by rounding.

    Raises ValueError for shapes that do not fit, and for a chunk below 1.

    Source: Katharopoulos et al., "Transformers are RNNs" (2020): phi(q) = q, phi(k) = k. By
    chunks and with decay: Sun et al., "Retentive Network" (2023), gamma = a; gradients of gates:
    Yang et al., "Gated Linear Attention Transformers" (2024).
    """
    if chunk < 1:
        raise ValueError(f"linear_attention expected a chunk of 1 token or more, got {chunk}")
    return _linear_attention(*_checked(q, k, v, log_decay), chunk=int(chunk))


def _checked(q: Any, k: Any, v: Any, log_decay: Any) -> list[Tensor]:
    given = real_tensors(*(x for x in (q, k, v, log_decay) if x is not None))
    q, k, v, *decay = given
    if not q.ndim == v.ndim == 4 or q.shape != k.shape or q.shape[:3] != v.shape[:3]:
        raise ValueError(
            "linear_attention expected q and k (B, H, T, m) and v (B, H, T, d_v), "
            f"got {q.shape}, {k.shape}, {v.shape}"
        )
    if decay:
        shape = (1,) * (3 - decay[0].ndim) + decay[0].shape
        if len(shape) > 3 or any(n not in (1, m) for n, m in zip(shape, q.shape[:3], strict=True)):
            raise ValueError(
                f"linear_attention expected log_decay that broadcasts to {q.shape[:3]}, "
                f"got {decay[0].shape}"
            )
        given[3] = f.broadcast_to(f.reshape(decay[0], shape), (*shape[:2], q.shape[2]))
    return given
