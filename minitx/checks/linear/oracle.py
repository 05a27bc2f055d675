"""The oracle of this chapter's checks: sums over pairs of tokens, one pair at a time."""

import numpy as np

Rng = np.random.Generator


def weighed(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool = False, divide: bool = False
) -> np.ndarray:
    """sum over j of (q_t . k_j) v_j, over j <= t if causal; divided by the sum of the weights?"""
    out = np.zeros((len(q), v.shape[1]))
    for t in range(len(q)):
        heard = range(t + 1 if causal else len(k))
        for j in heard:
            out[t] += (q[t] @ k[j]) * v[j]
        if divide:
            out[t] /= sum(q[t] @ k[j] for j in heard)
    return out


def pulled(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What g (T, e) on the causal sums asks of q, k and v, pair by pair."""
    dq, dk, dv = (np.zeros_like(x) for x in (q, k, v))
    for t in range(len(q)):
        for j in range(t + 1):
            dq[t] += (g[t] @ v[j]) * k[j]
            dk[j] += (g[t] @ v[j]) * q[t]
            dv[j] += (q[t] @ k[j]) * g[t]
    return dq, dk, dv


def positive(rng: Rng, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """An array of positive numbers for each shape, as features are."""
    return tuple(rng.uniform(0.1, 2, size=shape) for shape in shapes)


def normal(rng: Rng, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """An array of unit normal numbers for each shape."""
    return tuple(rng.normal(size=shape) for shape in shapes)
