"""Prompts whose answers are linear in features of x that are the same for all prompts.

Each prompt draws ``w`` and shows pairs of ``x`` and ``y = <w, features(x)>``. The features never
change, so a model may learn them once and for all; ``w`` it must find within the prompt.

Source: Guo et al., "How Do Transformers Learn In-Context Beyond Simple Functions?" (2023).
"""

import numpy as np

from minitx.data.in_context import Generator, Prompts


class Perceptron:
    """``act(W_L ... act(W_1 x))`` with act(z) = max(z, slope z), orthogonal rows or columns in W_l.

    widths (d, ..., k): from x to the features. The matrices have singular values ``gain``.
    """

    def __init__(
        self, widths: tuple[int, ...], rng: Generator, slope: float = 0.1, gain: float = 1.0
    ):
        if len(widths) < 2:
            raise ValueError(f"Perceptron expected at least two widths, got {widths}")
        self.widths, self.slope = widths, slope
        self.weights = [gain * _orthogonal(out, into, rng) for into, out in zip(widths, widths[1:])]

    def layers(self, x: np.ndarray) -> list[np.ndarray]:
        """What every layer says of x (..., d); the last are the features (..., k)."""
        found = []
        for weight in self.weights:
            x = x @ weight.T
            x = np.maximum(x, self.slope * x)
            found.append(x)
        return found

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.layers(x)[-1]


def _orthogonal(rows: int, columns: int, rng: Generator) -> np.ndarray:
    q, _ = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    return q if rows >= columns else q.T


class RepresentationRegression:
    """Prompts with ``y = <w, features(x)>``, x ~ N(0, I), w ~ N(0, I); no noise."""

    def __init__(self, features: Perceptron, num_examples: int, dtype: type = np.float32):
        self.features, self.num_examples, self.dtype = features, num_examples, dtype

    def sample(self, batch_size: int, rng: Generator) -> Prompts:
        """A batch of prompts with ``num_examples`` examples and a query; w is (B, k)."""
        d, k = self.features.widths[0], self.features.widths[-1]
        w = rng.standard_normal((batch_size, k))
        x = rng.standard_normal((batch_size, self.num_examples + 1, d))  # (B, N, d)
        y = np.einsum("bnk,bk->bn", self.features(x), w)
        return Prompts(*(array.astype(self.dtype) for array in (x, y, w)))


def questions(prompts: Prompts, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The last ``count`` pairs as questions: tokens (B, N, d + 1), who may be heard, the answers.

    A token is ``[x; y]``, with 0 for y in a question. Heard (B, N) is False for questions, so that
    nothing is learnt from them; the answers are (B, count).
    """
    y = prompts.y.copy()
    y[:, -count:] = 0
    heard = np.ones(y.shape, bool)
    heard[:, -count:] = False
    return np.concatenate([prompts.x, y[..., None]], axis=-1), heard, prompts.y[:, -count:]
