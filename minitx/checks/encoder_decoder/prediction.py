"""How long the text is that a search finds in a model that has learned little: guess, then run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Rng, beam
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="encoder_decoder/prediction",
    title="Predict, then run: how long is the best text?",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="A sum of log probabilities pays for every word; a mean pays for the dear ones.",
)

CHANCES = (0.36, 0.17, 0.17, 0.3)  # ha, two others, the end
END, LIMIT, WORDS = 3, 8, ("empty", "full")


def found_length(width: int, penalty: float) -> int:
    """How many words, the end too, the best text has that a beam of ``width`` finds."""
    found = beam(lambda text: np.log(CHANCES), width, END, LIMIT)
    return len(max(found, key=lambda text: found[text] / len(text) ** penalty))


@check_prediction.stage("Three words")
def three_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 3, WORDS, "for one beam, two beams, and two beams with α = 1")


def _asks_case(index: int, name: str, width: int, penalty: float, why: str) -> None:
    @check_prediction.stage(name)
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        length = found_length(width, penalty)
        word = "empty" if length == 1 else "full" if length == LIMIT else "neither"
        said = prediction()[index]
        expect(
            said == word, f"You said {said!r}; measured, the text has {length} of 8 words. {why}"
        )


_asks_case(0, "One beam", 1, 0.0, "Which word has the greatest chance, and does that ever change?")
_asks_case(
    1, "Two beams", 2, 0.0, "The end alone has 0.3, and is kept: how probable are two words?"
)
_asks_case(
    2,
    "Two beams, divided by the length",
    2,
    1.0,
    "A text of *ha* alone has the mean log 0.36 at any length: compare that with log 0.3.",
)
