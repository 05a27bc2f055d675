"""Prompts of examples: what a model must learn within one sequence, its weights unchanged.

Each sequence draws a task ``w`` and shows ``(x_1, y_1), ..., (x_N, y_N)`` of it, with
``y = <w, x> + noise`` and ``x ~ N(0, Sigma)``; the model is asked for the next ``y``. Where tasks
come from is a prior: all directions alike, or a finite set.

Source: Garg et al. 2022, "What Can Transformers Learn In-Context?" (their k = num_examples).
"""

from typing import NamedTuple, Protocol

import numpy as np

Generator = np.random.Generator


class Prompts(NamedTuple):
    """x (B, N, d), y (B, N) and the tasks w (B, d) behind them; the last pair is the query."""

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray


class Prior(Protocol):
    """A distribution over tasks."""

    d: int

    def sample(self, batch_size: int, rng: Generator) -> np.ndarray:
        """Tasks (B, d)."""
        ...


class NormalPrior:
    """``w ~ N(0, scale^2 I)``."""

    def __init__(self, d: int, scale: float = 1.0):
        self.d, self.scale = d, scale

    def sample(self, batch_size: int, rng: Generator) -> np.ndarray:
        return self.scale * rng.standard_normal((batch_size, self.d))


class MixturePrior:
    """``w = means[j] + spread * N(0, I)``, with j drawn by ``weights``; spread 0: a finite set.

    means (M, d); weights (M,) that sum to 1, all alike if left out.
    """

    def __init__(self, means: np.ndarray, weights: np.ndarray | None = None, spread: float = 0.0):
        self.means = np.asarray(means, dtype=np.float64)
        if self.means.ndim != 2:
            raise ValueError(f"MixturePrior expected means (M, d), got {self.means.shape}")
        count, self.d = self.means.shape
        self.weights = np.full(count, 1 / count) if weights is None else np.asarray(weights)
        ok = self.weights.shape == (count,) and (self.weights >= 0).all()
        if not ok or abs(self.weights.sum() - 1) > 1e-6:
            raise ValueError(f"expected {count} weights that sum to 1, got {self.weights}")
        self.spread = spread

    def sample(self, batch_size: int, rng: Generator) -> np.ndarray:
        chosen = rng.choice(len(self.means), size=batch_size, p=self.weights)
        return self.means[chosen] + self.spread * rng.standard_normal((batch_size, self.d))


class LinearRegression:
    """Prompts of linear regression; ``noise`` is the standard deviation of y's error.

    ``covariance`` is Sigma: (d, d), or (d,) for a diagonal one; the identity if left out.
    """

    def __init__(
        self,
        prior: Prior,
        num_examples: int,
        noise: float = 0.0,
        covariance: np.ndarray | None = None,
        dtype: type = np.float32,
    ):
        self.prior, self.num_examples, self.noise, self.dtype = prior, num_examples, noise, dtype
        sigma = np.ones(prior.d) if covariance is None else np.asarray(covariance, np.float64)
        sigma = np.diag(sigma) if sigma.ndim == 1 else sigma
        if sigma.shape != (prior.d, prior.d) or not np.allclose(sigma, sigma.T):
            raise ValueError(
                f"expected a symmetric covariance ({prior.d}, {prior.d}), got {sigma.shape}"
            )
        values, vectors = np.linalg.eigh(sigma)
        if values.min() < -1e-12 * max(values.max(), 1):
            raise ValueError(f"a covariance has no negative eigenvalue, got {values.min():.3g}")
        self.root = (vectors * np.sqrt(values.clip(0))) @ vectors.T  # root @ root = Sigma

    def sample(self, batch_size: int, rng: Generator) -> Prompts:
        """A batch of prompts with ``num_examples`` examples and a query."""
        pairs = self.num_examples + 1
        w = self.prior.sample(batch_size, rng)  # (B, d)
        x = rng.standard_normal((batch_size, pairs, self.prior.d)) @ self.root  # (B, N, d)
        y = np.einsum("bnd,bd->bn", x, w)
        y = y + self.noise * rng.standard_normal(y.shape)  # (B, N)
        return Prompts(*(array.astype(self.dtype) for array in (x, y, w)))


def joint_tokens(prompts: Prompts) -> np.ndarray:
    """One token a pair, ``[x; y]``, the query's y hidden as 0: (B, N, d + 1)."""
    y = prompts.y.copy()
    y[:, -1] = 0
    return np.concatenate([prompts.x, y[..., None]], axis=-1)


def interleaved_tokens(prompts: Prompts) -> np.ndarray:
    """Two tokens a pair, x then y: (B, 2N - 1, d), y in the first feature; it ends in the query.

    The answer to the x at place ``2i`` is the y that follows, so every pair is a question.
    """
    batch, pairs, d = prompts.x.shape
    out = np.zeros((batch, 2 * pairs, d), prompts.x.dtype)
    out[:, 0::2] = prompts.x
    out[:, 1::2, 0] = prompts.y
    return out[:, :-1]
