"""Whether a rule and the temperature may change places: guess, then measure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_choices
from minitx.inference import MinP, RepetitionPenalty, Sampler, Temperature, TopK, TopP

Rng = np.random.Generator

check_order = Exercise(
    name="decoder/order",
    title="Predict, then run: does the order of the knobs matter?",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="What looks at ranks or signs ignores a temperature; what looks at chances does not.",
)

RULES = {
    "top-k": TopK(3),
    "top-p": TopP(0.8),
    "min-p": MinP(0.2),
    "the repetition penalty": RepetitionPenalty(1.5),
}
HISTORY = np.array([[0, 3]])


def difference(rule: Callable[..., Any], logits: np.ndarray, temperature: float = 2.0) -> float:
    """The largest change of a probability when rule and temperature change places."""
    first, last = (
        Sampler(*rules).probabilities(logits, HISTORY)
        for rules in ((rule, Temperature(temperature)), (Temperature(temperature), rule))
    )
    return float(abs(first - last).max())


@check_order.stage("Four words, one for each rule")
def four_words(prediction: Callable[[], Any], rng: Rng) -> None:
    expect_choices(prediction(), 4, ("same", "other"), f"for {', '.join(RULES)} in this order")


def _asks_rule(index: int, name: str, why: str) -> None:
    """Adds the question about one rule."""

    @check_order.stage(f"Temperature and {name}")
    def rule(prediction: Callable[[], Any], rng: Rng) -> None:
        logits = 2 * rng.permutation(np.linspace(-1.0, 1.0, 9))[None]
        found = difference(RULES[name], logits)
        word = "same" if found < 1e-12 else "other"
        said = prediction()[index]
        expect(
            said == word,
            f"You said {said!r}. Measured on nine tokens with temperature 2, a probability changes "
            f"by up to {found:.2g} when {name} and the temperature change places. {why}",
        )


_asks_rule(0, "top-k", "Does a temperature change which token is the third likeliest?")
_asks_rule(1, "top-p", "How many tokens does it take to reach 0.8 once the chances are flatter?")
_asks_rule(2, "min-p", "What does a temperature do to the ratio of two probabilities?")
_asks_rule(
    3, "the repetition penalty", "Can dividing a score by 2 change its sign, and then by 1.5?"
)
