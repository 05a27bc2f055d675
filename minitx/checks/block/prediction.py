"""How long the stream becomes with depth, under three connections: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="block/prediction",
    title="Predict, then run: how the stream grows",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Under pre-norm the stream grows like the root of the depth, so each further layer "
    "changes it by less; post-norm pays for its constant length on the path of the gradient.",
)

Rng = np.random.Generator
WORDS = ("constant", "root", "exponential")
CASES = ("x + f(norm(x))", "norm(x + f(x))", "x + f(x)")


def norm(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True))


def lengths(rng: Rng, depth: int = 64, d: int = 128) -> np.ndarray:
    """The root mean square of the stream after each of ``depth`` layers, for the three cases."""
    streams = [norm(rng.normal(size=(16, d))) for _ in CASES]
    found = []
    for _ in range(depth):
        w = rng.normal(size=(d, d)) / np.sqrt(d)
        pre, post, bare = streams
        streams = [pre + norm(pre) @ w, norm(post + post @ w), bare + bare @ w]
        found.append([np.sqrt((x**2).mean()) for x in streams])
    return np.array(found).T


@check_prediction.stage("Three words, one for each connection")
def three_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 3, WORDS)


def _asks_case(index: int, why: str) -> None:
    """Adds the question about one connection."""

    @check_prediction.stage(CASES[index])
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        sizes = lengths(rng)[index]
        factor = sizes[63] / sizes[15]  # four times as deep: 1, about 2, or astronomical
        word = "constant" if factor < 1.2 else "root" if factor < 4 else "exponential"
        said = prediction()[index]
        expect(
            said == word,
            f"You said {said!r}. Measured: from layer 16 to layer 64 the stream becomes "
            f"{factor:.3g} times as long. {why}",
        )


_asks_case(0, "Every update has the same length and a direction of its own; how do variances add?")
_asks_case(1, "What is the last thing that is done to the stream?")
_asks_case(2, "Here an update is as long as the stream itself. What does each layer multiply by?")
