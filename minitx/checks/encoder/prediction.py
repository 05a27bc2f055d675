"""How many facts one vector holds: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices

check_prediction = Exercise(
    name="encoder/prediction",
    title="Predict, then run: how much one vector holds",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="A mean of n vectors still tells its members apart while n is well below the width: "
    "a context of four facts leaves a poly-encoder little to win.",
)

Rng = np.random.Generator
WORDS = ("nearly always", "sometimes", "hardly ever")
COUNTS = (4, 64, 4096)
WIDTH, CANDIDATES = 64, 16


def recall(count: int, rng: Rng, trials: int = 400) -> float:
    """How often a member of a mean of ``count`` random vectors is found among 16 candidates."""
    right = 0
    for _ in range(trials):
        candidates = rng.normal(size=(CANDIDATES, WIDTH))  # the first is one of the mean
        others = np.sqrt(count - 1) * rng.normal(size=WIDTH)  # the sum of the other vectors
        right += (candidates @ ((candidates[0] + others) / count)).argmax() == 0
    return right / trials


def word(share: float) -> str:
    """The word for a recall: 1/16 is what guessing gives."""
    return WORDS[0] if share > 0.9 else WORDS[1] if share > 0.16 else WORDS[2]


@check_prediction.stage("Three words, one for each number of facts")
def three_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 3, WORDS)


def _asks_case(index: int, why: str) -> None:
    """Adds the question about one number of facts."""
    count = COUNTS[index]

    @check_prediction.stage(f"A mean of {count} vectors")
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        share, said = recall(count, rng), prediction()[index]
        expect(
            said == word(share),
            f"You said {said!r}. Measured: of a mean of {count}, the right candidate is found in "
            f"{share:.0%} of all cases. {why}",
        )


_asks_case(0, "The others add noise of variance 3 D to a signal of D: compare D with √(3 D).")
_asks_case(1, "Signal and noise are alike here, D and √(D · D), and there are 15 rivals.")
_asks_case(2, "The signal D drowns in noise of size √(4096 D) = 8 D.")
