"""Attention as an operator on distributions: it maps mu to a function of the query, losing nothing.

    (A mu)(q) = E[x e^(q x)] / E[e^(q x)] = grad_q log E[e^(q x)],   x ~ mu

is what softmax attention of a query q computes over a bag of samples that are keys and values at
once. At q = 0 it is the mean, its slope there the variance; away from 0 it sees the whole shape.
"""

from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.experiments import part

QUERIES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None]  # (Q, 1)


def attended(
    bags: np.ndarray, queries: np.ndarray, log_weights: np.ndarray | None = None
) -> np.ndarray:
    """(A mu)(q) of the points of each bag (B, N, p), for queries (Q, p): (B, Q, p).

    The points may have weights (N,), the same in all bags, of which the logarithm is a bias.
    """
    x = Tensor(bags[:, None], dtype=np.float64)  # (B, 1, N, p)
    q = Tensor(np.broadcast_to(queries, (len(bags), 1, *queries.shape)), dtype=np.float64)
    bias = None if log_weights is None else Tensor(log_weights[None, None, None], dtype=np.float64)
    return F.attention(q, x, x, bias=bias, scale=1.0).numpy()[:, 0]


# ---------------------------------------------------------------- 1: Gaussians, in closed form

MEAN = np.array([0.3, -0.2])
COVARIANCE = np.array([[0.8, 0.3], [0.3, 0.5]])
ROOT = np.linalg.cholesky(COVARIANCE)
ANGLES = 2 * np.pi * np.arange(6) / 6
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)  # six queries of length 1


def by_quadrature(queries: np.ndarray) -> np.ndarray:
    """A of N(MEAN, COVARIANCE) at the queries (Q, 2), by the trapezoidal rule: (Q, 2)."""
    side = np.linspace(-9, 9, 121)
    z = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)  # (121^2, 2)
    return attended((MEAN + z @ ROOT.T)[None], queries, -np.square(z).sum(-1) / 2)[0]


def errors(lengths: np.ndarray, seed: int = 0, bags: int = 100) -> np.ndarray:
    """Root mean square error of attention over N samples, for every N in ``lengths``."""
    rng, exact, found = np.random.default_rng(seed), MEAN + CIRCLE @ COVARIANCE, []
    for n in lengths:
        samples = MEAN + rng.standard_normal((bags, n, 2)) @ ROOT.T
        found.append(np.sqrt(np.square(attended(samples, CIRCLE) - exact).mean()))
    return np.array(found)


@part(1)
def gaussian(seed: int = 0) -> dict[str, float]:
    """A Gaussian in the plane, queries of length 1, from 64 to 8192 samples."""
    lengths = 2 ** np.arange(6, 14)
    slope = np.polyfit(np.log(lengths), np.log(errors(lengths, seed)), 1)[0]
    exact = MEAN + CIRCLE @ COVARIANCE
    return {"closed form": np.abs(by_quadrature(CIRCLE) - exact).max(), "slope": slope}


# ------------------------------------------------------------- 2: what the mean cannot tell


def ridge(features: np.ndarray, target: np.ndarray, penalty: float = 1e-3) -> Callable:
    """The function of features (n, f) that fits target (n,) by least squares with a penalty."""
    centre, scale = features.mean(0), features.std(0)
    z = (features - centre) / scale
    gram = z.T @ z / len(z) + penalty * np.eye(z.shape[1])
    weights = np.linalg.solve(gram, z.T @ (target - target.mean()) / len(z))
    return lambda new: (new - centre) / scale @ weights + target.mean()


def held_out(features: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(predicted, true) on the second half, of a ridge regression fitted on the first."""
    half = len(target) // 2
    return ridge(features[:half], target[:half])(features[half:]), target[half:]


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a bag of label 1 scores above one of label 0."""
    ranks = scores.argsort().argsort() + 1
    ones = labels.sum()
    return (ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))


def leaning(bags: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bags (B, n) of mixtures of mean 0 and variance 0.8, and which way each leans (B,).

    A fifth of the samples lies about 1.6 and the rest about -0.4, or the other way round.
    """
    labels = rng.integers(0, 2, bags)
    rare = rng.random((bags, n)) < 0.2
    x = np.where(rare, 1.6, -0.4) + 0.4 * rng.standard_normal((bags, n))
    return x * np.where(labels == 1, 1, -1)[:, None], labels


def told_apart(sizes: np.ndarray, seed: int = 0, bags: int = 6000) -> dict[str, np.ndarray]:
    """AUC of "which way does it lean", from the mean and from attention, for each size of bag."""
    rng, found = np.random.default_rng(seed), []
    for n in sizes:
        x, labels = leaning(bags, n, rng)
        features = x.mean(1, keepdims=True), attended(x[..., None], QUERIES)[..., 0]
        found.append([auc(*held_out(f, labels)) for f in features])
    return dict(zip(("mean pooling", "attention"), np.transpose(found)))


@part(2)
def skew(seed: int = 0) -> dict[str, float]:
    """Bags of 20 samples: asked of 3000, learnt from as many."""
    return {name: values[0] for name, values in told_apart(np.array([20]), seed).items()}


# ----------------------------------------------------------- 3: functionals of distributions


class Mixtures:
    """Random mixtures of two Gaussians on the line, and three numbers asked of each."""

    def __init__(self, count: int, rng: np.random.Generator):
        second = rng.uniform(0.2, 0.8, count)
        self.shares = np.stack([1 - second, second])  # (2, B)
        self.means = rng.uniform(-1.5, 1.5, (2, count))
        self.widths = rng.uniform(0.3, 1.0, (2, count))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Bags (B, n, 1)."""
        bags = np.arange(len(self.shares[0]))[:, None]
        which = (rng.random((len(bags), n)) < self.shares[1][:, None]).astype(int)
        z = rng.standard_normal(which.shape)
        return (self.means[which, bags] + self.widths[which, bags] * z)[..., None]

    def targets(self) -> dict[str, np.ndarray]:
        """Variance, entropy (nats) and the chance of a sample beyond 1.5 from the mean.

        Each (B,), by quadrature.
        """
        x, step = np.linspace(-7, 7, 1401, retstep=True)
        z = (x - self.means[..., None]) / self.widths[..., None]  # (2, B, 1401)
        heights = self.shares / (self.widths * np.sqrt(2 * np.pi))
        p = (heights[..., None] * np.exp(-np.square(z) / 2)).sum(0)
        away = x - (p @ x * step)[:, None]
        return {
            "variance": (p * away**2).sum(1) * step,
            "entropy": -(p * np.log(p + 1e-300)).sum(1) * step,
            "tail": (p * (np.abs(away) > 1.5)).sum(1) * step,
        }


def explained(features: np.ndarray, target: np.ndarray) -> float:
    """R^2 of a ridge regression on bags that it was not fitted on."""
    predicted, true = held_out(features, target)
    return 1 - np.square(true - predicted).mean() / true.var()


def unexplained(lengths: np.ndarray, seed: int = 0, count: int = 4000) -> np.ndarray:
    """1 - R^2 of the three targets from attention over N samples: (3, lengths)."""
    rng = np.random.default_rng([seed, 1])
    mixtures = Mixtures(count, rng)
    found = [attended(mixtures.sample(n, rng), QUERIES)[..., 0] for n in lengths]
    return np.array(
        [[1 - explained(x, target) for x in found] for target in mixtures.targets().values()]
    )


@part(3)
def functionals(seed: int = 0) -> dict[str, float]:
    """Bags of 50 samples of 4000 mixtures; then 12 to 400 samples, the three errors together."""
    rng = np.random.default_rng(seed)
    mixtures = Mixtures(4000, rng)
    bags = mixtures.sample(50, rng)
    found, mean = attended(bags, QUERIES)[..., 0], bags.mean(1)
    gains = [explained(found, y) - explained(mean, y) for y in mixtures.targets().values()]
    lengths = np.array([12, 25, 50, 100, 200, 400])
    error = unexplained(lengths, seed).mean(0)
    line = np.polyval(np.polyfit(1 / lengths, error, 1), 1 / lengths)
    shuffled = attended(rng.permuted(bags, axis=1), QUERIES)[..., 0]
    return {
        "gain": min(gains),
        "fit of a + b / N": 1 - np.square(error - line).mean() / error.var(),
        "order": np.abs(shuffled - found).max(),
    }
