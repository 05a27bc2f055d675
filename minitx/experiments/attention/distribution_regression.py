"""Attention over samples as an operator on distributions: closed form, rate, and what it tells."""

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.experiments import part

QUERIES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def attended(samples: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Attention of queries (Q,) over bags (B, N), keys = values = samples: (B, Q)."""
    bags, n = samples.shape
    x = Tensor(samples.reshape(bags, 1, n, 1), dtype=np.float64)
    q = np.broadcast_to(queries[:, None], (bags, 1, len(queries), 1)).copy()
    return F.attention(Tensor(q, dtype=np.float64), x, x, scale=1.0).numpy()[:, 0, :, 0]


def operator(density: np.ndarray, x: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(A mu)(q) = E[x e^(q x)] / E[e^(q x)] by quadrature, for a density on an even grid."""
    tilted = np.exp(queries[:, None] * x) * density
    return (tilted @ x) / tilted.sum(1)


@part(1)
def gaussian(seed: int = 0) -> dict[str, float]:
    rng, mean, variance = np.random.default_rng(seed), 0.3, 0.8
    queries = np.linspace(-1, 1, 9)
    exact = mean + variance * queries
    x = np.linspace(-15, 15, 4001)
    density = np.exp(-((x - mean) ** 2) / (2 * variance))
    lengths, errors = 2 ** np.arange(6, 14), []
    for n in lengths:
        samples = mean + np.sqrt(variance) * rng.standard_normal((200, n))
        errors.append(np.abs(attended(samples, queries) - exact).mean())
    return {
        "closed form": np.abs(operator(density, x, queries) - exact).max(),
        "slope": np.polyfit(np.log(lengths), np.log(errors), 1)[0],
    }


def ridge(features: np.ndarray, targets: np.ndarray, penalty: float = 1e-3):
    """A function that predicts targets from features, fitted by least squares with a penalty."""
    centre, scale = features.mean(0), features.std(0)
    z = (features - centre) / scale
    gram = z.T @ z / len(z) + penalty * np.eye(z.shape[1])
    weights = np.linalg.solve(gram, z.T @ (targets - targets.mean()) / len(z))
    return lambda new: (new - centre) / scale @ weights + targets.mean()


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a bag of label 1 scores above one of label 0."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    ones = labels.sum()
    return (ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))


@part(2)
def skew(seed: int = 0) -> dict[str, float]:
    rng, bags, n = np.random.default_rng(seed), 6000, 100
    labels = rng.integers(0, 2, bags)
    rare = rng.random((bags, n)) < 0.2  # mean 0 and one variance, whichever way it leans
    x = np.where(rare, 1.6, -0.4) + 0.4 * rng.standard_normal((bags, n))
    x = x * np.where(labels == 1, 1, -1)[:, None]
    train, test = slice(0, bags // 2), slice(bags // 2, None)

    def score(features: np.ndarray) -> float:
        predict = ridge(features[train], labels[train].astype(float))
        return auc(predict(features[test]), labels[test])

    return {
        "mean pooling": score(x.mean(1, keepdims=True)),
        "attention": score(attended(x, QUERIES)),
    }


class Mixtures:
    """Random mixtures of two Gaussians on the line, and the three numbers asked of them."""

    def __init__(self, count: int, rng: np.random.Generator):
        self.share = rng.uniform(0.2, 0.8, count)
        self.means = rng.uniform(-1.5, 1.5, (2, count))
        self.widths = rng.uniform(0.3, 1.0, (2, count))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        second = rng.random((len(self.share), n)) < self.share[:, None]
        mean, width = (
            np.where(second, b[:, None], a[:, None]) for a, b in (self.means, self.widths)
        )
        return mean + width * rng.standard_normal(second.shape)

    def targets(self) -> dict[str, np.ndarray]:
        """Variance, entropy (nats) and the chance to be over 1.5 from the mean, by quadrature."""
        x = np.linspace(-7, 7, 1401)
        step = x[1] - x[0]
        shares = (1 - self.share, self.share)
        p = sum(
            s[:, None] * np.exp(-(((x - m[:, None]) / w[:, None]) ** 2) / 2) / w[:, None]
            for s, m, w in zip(shares, self.means, self.widths)
        ) / np.sqrt(2 * np.pi)  # fmt: skip
        mean = (p * x).sum(1) * step
        return {
            "variance": (p * x**2).sum(1) * step - mean**2,
            "entropy": -(p * np.log(p + 1e-300)).sum(1) * step,
            "tail": (p * (np.abs(x - mean[:, None]) > 1.5)).sum(1) * step,
        }


def explained(features: np.ndarray, target: np.ndarray) -> float:
    """R^2 on the second half of a ridge regression fitted on the first."""
    half = len(target) // 2
    predict = ridge(features[:half], target[:half])
    wrong = target[half:] - predict(features[half:])
    return 1 - np.mean(wrong**2) / target[half:].var()


@part(3)
def functionals(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    mixtures = Mixtures(4000, rng)
    targets, bags = mixtures.targets(), mixtures.sample(50, rng)
    found = attended(bags, QUERIES)
    mean = bags.mean(1, keepdims=True)
    gains = [explained(found, y) - explained(mean, y) for y in targets.values()]
    lengths = np.array([12, 25, 50, 100, 200, 400])
    errors = np.array([
        1 - explained(attended(mixtures.sample(n, rng), QUERIES), targets["variance"])
        for n in lengths
    ])  # fmt: skip
    line = np.polyval(np.polyfit(1 / lengths, errors, 1), 1 / lengths)
    shuffled = attended(bags[:, rng.permutation(50)], QUERIES)
    return {
        "gain": min(gains),
        "fit of a + b / N": 1 - np.mean((errors - line) ** 2) / errors.var(),
        "order": np.abs(shuffled - found).max(),
    }
