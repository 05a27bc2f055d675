"""Equal tokens: which positions can tell them apart? Guess, then measure."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="positions/prediction",
    title="Predict, then run: equal tokens",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Weights that add up to 1 give one value back, wherever they lie; only what touches "
    "the tokens, the values or the sum can say where it is.",
)

Rng = np.random.Generator
WORDS = ("same", "different")
CASES = (
    "sinusoids added to the tokens",
    "rotary, every token hears every other",
    "ALiBi under a causal mask",
    "Shaw, vectors beside keys and values",
    "ALiBi and then URPE's factors",
)


def softmax(scores: np.ndarray) -> np.ndarray:
    parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return parts / parts.sum(axis=-1, keepdims=True)


def spreads(rng: Rng, T: int = 12, d: int = 4) -> list[float]:
    """How far the outputs of T equal tokens are apart in each of the five cases."""
    x = np.repeat(rng.normal(size=(1, d)), T, axis=0)
    maps = rng.normal(size=(3, d, d))
    place = np.arange(T)
    distance = place - place[:, None]
    angle = place[:, None] * np.array([1.0, 0.1])
    waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    def turned(y: np.ndarray) -> np.ndarray:
        a, b = y[:, :2], y[:, 2:]
        cos, sin = np.cos(angle), np.sin(angle)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

    def parts(y: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(y @ m / math.sqrt(d) for m in maps)

    q, k, v = parts(x)
    alibi = softmax(q @ k.T / 2 - 0.5 * abs(distance))
    causal = softmax(np.where(distance <= 0, q @ k.T / 2 - 0.5 * abs(distance), -np.inf))
    beside = rng.normal(size=(2, 2 * T - 1, d))[:, distance + T - 1]  # two (T, T, d)
    shaw = softmax((q @ k.T + (q[:, None] * beside[0]).sum(-1)) / 2)
    factors = rng.normal(size=2 * T - 1)[distance + T - 1]
    moved_q, moved_k, moved_v = parts(x + waves)
    outputs = [
        softmax(moved_q @ moved_k.T / 2) @ moved_v,
        softmax(turned(q) @ turned(k).T / 2) @ v,
        causal @ v,
        shaw @ v + (shaw[:, :, None] * beside[1]).sum(1),
        (alibi * factors) @ v,
    ]
    return [float(np.abs(y - y[:1]).max()) for y in outputs]


@check_prediction.stage("Five words, one for each case")
def five_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 5, WORDS)


def _asks_case(index: int, why: str) -> None:
    """Adds the question about one case."""

    @check_prediction.stage(CASES[index][0].upper() + CASES[index][1:])
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        spread = spreads(rng)[index]
        word = "same" if spread < 1e-9 else "different"
        said = prediction()[index]
        expect(
            said == word,
            f"You said {said!r}. Measured: the outputs are {spread:.1g} apart. {why}",
        )


_asks_case(0, "Are the tokens still equal once a vector of their place was added?")
_asks_case(1, "The weights differ from place to place; what do they mix, and what is their sum?")
_asks_case(2, "Token t hears t + 1 equal values. What is their mean?")
_asks_case(3, "Where does Shaw's second vector enter, and is it the same for every distance?")
_asks_case(4, "What do the weights of a row add up to after the factors?")
