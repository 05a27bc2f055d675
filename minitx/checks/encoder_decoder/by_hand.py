"""A tree that fools a beam of two, worked out with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Rng, beam, best, fixed_tree
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, same

check_by_hand = Exercise(
    name="encoder_decoder/by_hand",
    title="A tree that fools two beams",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="Each wider beam kept a less likely first word, and found a likelier text.",
)

FIRST = np.array([1 / 2, 3 / 10, 1 / 5])
SECOND = np.zeros((3, 10))
SECOND[0], SECOND[1, :2], SECOND[2, 0] = 1 / 10, 1 / 2, 1


def _answer(by_hand: Callable[[], Any]) -> np.ndarray:
    got = by_hand()
    expect(
        isinstance(got, tuple | list | np.ndarray) and len(got) == 3,
        "Your function should return three probabilities: for beams of one, two and three.",
    )
    return expect_array(got, (3,), lists=True)


def _expect(got: np.ndarray, width: int, mistakes: list[tuple[float, str]], else_: str) -> None:
    tree = fixed_tree(FIRST, SECOND)
    want = np.exp(best(beam(tree, width, None, 2))[1])
    value = got[width - 1]
    if same(value, want):
        return
    expect(not abs(value - want) < 0.004, f"Beam of {width}: right, but rounded: write a fraction.")
    for wrong, cause in mistakes:
        expect(not same(value, wrong), cause)
    expect(False, f"Beam of {width}: it is {else_}, and you said {value:.4g}.")


@check_by_hand.stage("The text that a beam of one finds")
def one(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (1 / 2, "1/2 is the probability of the first word: a text has two, multiply."),
        (3 / 5, "The two factors were added: the chance of a *and* then a word is a product."),
        (3 / 20, "A beam of one never sees what comes after b: it keeps a, the likeliest word."),
        (1 / 5, "That is the best text of all; a beam of one has dropped c at the first word."),
    ]
    _expect(_answer(by_hand), 1, mistakes, "the probability of a times that of a word after it")


@check_by_hand.stage("The text that a beam of two finds")
def two(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (1 / 20, "A beam of two keeps b as well, and a text that begins with b is likelier."),
        (3 / 10, "After b come two words with 1/2 each, two texts: do not add them up."),
        (1 / 5, "A beam of two still drops c, the third of the first words."),
    ]
    _expect(_answer(by_hand), 2, mistakes, "the better of a's texts and b's texts")


@check_by_hand.stage("The text that a beam of three finds")
def three(by_hand: Callable[[], Any], rng: Rng) -> None:
    mistakes = [
        (3 / 20, "A beam of three keeps c as well, and what follows c is certain."),
        (1.0, "1 is the probability of the word after c; c itself has 1/5."),
    ]
    _expect(_answer(by_hand), 3, mistakes, "the best of all texts")
