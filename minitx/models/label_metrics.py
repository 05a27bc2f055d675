"""How good is a short list of labels, when there are very many and most are rare?

truth (B, L) is boolean, scores (B, L) say how likely each label is; all are NumPy arrays.
"""

import numpy as np


def precision_at(scores: np.ndarray, truth: np.ndarray, k: int) -> float:
    """P@k: the share of true labels among the k that score best, averaged over rows."""
    return float(np.take_along_axis(truth, best(scores, k), axis=1).mean())


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """The k labels that score best, in order (B, k); of equals, the first."""
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"expected k of 1 to {scores.shape[1]}, got {k}")
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def propensity(counts: np.ndarray, examples: int, a: float = 0.55, b: float = 1.5) -> np.ndarray:
    """The chance that a label that is true was also noted: 1 / (1 + C exp(-a log(N_l + b))).

    C = (log N - 1) (b + 1)^a; counts (L,) says how often each label was noted in N examples.

    Source: Jain et al., "Extreme Multi-label Loss Functions" (2016): A = a, B = b, N_l = counts.
    """
    c = (np.log(examples) - 1) * (b + 1) ** a
    return 1 / (1 + c * np.exp(-a * np.log(np.asarray(counts) + b)))


def propensity_scored_precision_at(
    scores: np.ndarray, truth: np.ndarray, propensities: np.ndarray, k: int
) -> float:
    """PSP@k: what the k best labels earn, as a share of the most that k labels could earn.

    A true label l earns 1 / p_l, a wrong one nothing: who finds rare labels earns more.

    Source: Jain et al., "Extreme Multi-label Loss Functions" (2016).
    """
    worth = truth / propensities
    earned = np.take_along_axis(worth, best(scores, k), axis=1).sum()
    return float(earned / np.take_along_axis(worth, best(worth, k), axis=1).sum())
