"""The oracle of this chapter's checks: products of I - beta k k^T, each formed explicitly."""

import numpy as np

Rng = np.random.Generator


def states(k: np.ndarray, v: np.ndarray, beta: np.ndarray, state: np.ndarray) -> list[np.ndarray]:
    """The state (m, e) after each token, from the one before the first."""
    found = []
    for key, value, step in zip(k, v, beta, strict=True):
        keep = np.eye(len(key)) - step * np.outer(key, key)
        state = keep @ state + step * np.outer(key, value)
        found.append(state)
    return found


def empty(k: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.zeros((k.shape[1], v.shape[1]))


def answers(q: np.ndarray, k: np.ndarray, v: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """What each query (T, m) hears from the state after its own token: (T, e)."""
    return np.stack([s.T @ x for s, x in zip(states(k, v, beta, empty(k, v)), q, strict=True)])


def unit(rng: Rng, *shape: int) -> np.ndarray:
    """Random vectors of length 1."""
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)
