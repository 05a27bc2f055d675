"""From scores to the next token: rules that reshape a distribution, and the draw.

A rule is called as ``rule(logits, history)`` with float64 arrays (B, V) and the ids (B, T) so far,
and returns logits; -inf forbids a token. Rules are applied in the order given.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.tensor import Tensor

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Temperature:
    """logits / temperature: below 1 sharper, above 1 flatter."""

    def __init__(self, temperature: float):
        if not temperature > 0:
            raise ValueError(
                f"a temperature must be above 0, got {temperature}; Greedy() is the limit"
            )
        self.temperature = temperature

    def __call__(self, logits: np.ndarray, history: np.ndarray) -> np.ndarray:
        return logits / self.temperature


class TopK:
    """Keep the ``k`` most likely tokens (those that tie with the last of them too)."""

    def __init__(self, k: int):
        if k < 1:
            raise ValueError(f"top-k must be at least 1, got {k}")
        self.k = k

    def __call__(self, logits: np.ndarray, history: np.ndarray) -> np.ndarray:
        if self.k >= logits.shape[-1]:
            return logits
        least = np.partition(logits, -self.k, axis=-1)[:, -self.k, None]
        return np.where(logits >= least, logits, -np.inf)


class TopP:
    """Keep the smallest set of most likely tokens whose probabilities reach ``p`` together.

    Source: Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020).
    """

    def __init__(self, p: float):
        if not 0 < p <= 1:
            raise ValueError(f"top-p must be above 0 and at most 1, got {p}")
        self.p = p

    def __call__(self, logits: np.ndarray, history: np.ndarray) -> np.ndarray:
        order = np.argsort(-logits, axis=-1, kind="stable")
        ranked = np.take_along_axis(probabilities(logits), order, -1)
        before = np.cumsum(ranked, axis=-1) - ranked  # what the more likely ones reach already
        dropped = np.zeros(logits.shape, bool)
        np.put_along_axis(dropped, order, before >= self.p, -1)
        return np.where(dropped, -np.inf, logits)


class MinP:
    """Keep tokens at least ``p`` times as likely as the most likely one.

    Source: Nguyen et al., "Turning Up the Heat: Min-p Sampling" (2024).
    """

    def __init__(self, p: float):
        if not 0 <= p <= 1:
            raise ValueError(f"min-p must be from 0 to 1, got {p}")
        self.p = p

    def __call__(self, logits: np.ndarray, history: np.ndarray) -> np.ndarray:
        if self.p == 0:
            return logits
        top = logits.max(axis=-1, keepdims=True)
        return np.where(logits >= top + np.log(self.p), logits, -np.inf)


class RepetitionPenalty:
    """Make tokens that occurred before less likely: positive logits / penalty, negative ones * it.

    Source: Keskar et al., "CTRL" (2019): theta = penalty.
    """

    def __init__(self, penalty: float):
        if not penalty > 0:
            raise ValueError(
                f"a repetition penalty must be above 0 (1 does nothing), got {penalty}"
            )
        self.penalty = penalty

    def __call__(self, logits: np.ndarray, history: np.ndarray) -> np.ndarray:
        seen = np.zeros(logits.shape, bool)
        if history.size:
            np.put_along_axis(seen, history, True, -1)
        damped = np.where(logits > 0, logits / self.penalty, logits * self.penalty)
        return np.where(seen, damped, logits)


class Greedy:
    """Always the most likely token (the first of those that tie), after the rules."""

    def __init__(self, *rules: Rule):
        self.rules = rules

    def probabilities(self, logits: Any, history: np.ndarray) -> np.ndarray:
        """All probability on the token that is taken: (B, V) float64."""
        best = shaped(logits, history, self.rules).argmax(axis=-1)
        return np.eye(logits.shape[-1])[best]

    def __call__(self, logits: Any, history: np.ndarray) -> np.ndarray:
        """The next ids (B,) for logits (B, V) and the ids so far (B, T)."""
        found = shaped(logits, history, self.rules) if self.rules else numbers(logits)
        return found.argmax(axis=-1)


class Sampler:
    """A draw from the softmax of the logits, after the rules.

    >>> sampler = Sampler(TopK(40), Temperature(0.8), rng=0)
    """

    def __init__(self, *rules: Rule, rng: "int | np.random.Generator" = 0):
        self.rules, self.rng = rules, backend.generator(rng)

    def probabilities(self, logits: Any, history: np.ndarray) -> np.ndarray:
        """What the draw is from: (B, V) float64."""
        return probabilities(shaped(logits, history, self.rules))

    def __call__(self, logits: Any, history: np.ndarray) -> np.ndarray:
        """The next ids (B,) for logits (B, V) and the ids so far (B, T)."""
        return draw(self.probabilities(logits, history), self.rng)


def shaped(logits: Any, history: np.ndarray, rules: tuple[Rule, ...]) -> np.ndarray:
    """The logits (B, V) in float64 on the CPU, after all rules."""
    found = numbers(logits).astype(np.float64)
    for rule in rules:
        found = rule(found, history)
    return found


def numbers(logits: Any) -> np.ndarray:
    """The logits (B, V) on the CPU; a ValueError if a row has NaN or no finite greatest number."""
    found = backend.to_numpy(logits.data if isinstance(logits, Tensor) else logits)
    if not np.isfinite(found.max(axis=-1)).all():  # a maximum with NaN is NaN
        raise ValueError("the model's logits are not numbers to sample from (NaN or infinite)")
    return found


def probabilities(logits: np.ndarray) -> np.ndarray:
    """The softmax of float64 logits (B, V)."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One index (B,) from each row of p (B, V): where a uniform number falls."""
    edges = np.cumsum(p, axis=-1)
    edges /= edges[:, -1:]
    return (rng.random((len(p), 1)) >= edges).sum(axis=-1)
