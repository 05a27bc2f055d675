"""The oracle of this chapter's checks: attention as a loop over queries and keys."""

import math
from typing import Any

import numpy as np

Rng = np.random.Generator


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Positive numbers that sum to 1 along ``axis``, in the proportions of exp(scores)."""
    parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


def attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float | None = None, allowed: Any = True
) -> np.ndarray:
    """One query at a time, one key at a time; axes in front are looped over too.

    The scale is 1/√d unless another is given; ``allowed[..., t, s]``: may t hear s?
    A query that may hear nobody gets zeros.
    """
    scale = scale or 1 / math.sqrt(q.shape[-1])
    allowed = np.broadcast_to(allowed, (*q.shape[:-1], k.shape[-2]))
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for *lead, t in np.ndindex(q.shape[:-1]):
        query, keys, values = q[*lead, t], k[*lead,], v[*lead,]
        heard = [s for s in range(len(keys)) if allowed[*lead, t, s]]
        scores = {s: scale * sum(a * b for a, b in zip(query, keys[s])) for s in heard}
        parts = {s: math.exp(scores[s] - max(scores.values())) for s in heard}
        for s in heard:
            out[*lead, t] += parts[s] / sum(parts.values()) * values[s]
    return out


def normal(rng: Rng, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """An array of unit normal numbers for each shape."""
    return tuple(rng.normal(size=shape) for shape in shapes)
