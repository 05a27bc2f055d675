"""How much a text costs under a model's guesses."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_bits = Exercise(
    name="start/bits",
    title="Bits per character",
    call="bits_per_character(probabilities)",
    kind="implement",
    difficulty=1,
    minutes=10,
    insight="A model that says b bits is as unsure as one that guesses among 2**b characters.",
)


def _bits(probabilities: np.ndarray) -> float:
    return sum(-math.log(p) / math.log(2) for p in probabilities) / len(probabilities)


def _number(got: Any) -> np.ndarray:
    """One number, whether NumPy's or Python's own."""
    return expect_array(got, (), lists=True)


@check_bits.stage("A guess that is always sure and right costs nothing")
def sure(bits: Callable[..., Any], rng: Rng) -> None:
    got = _number(bits(np.ones(7)))
    expect(got == 0, f"log2(1) = 0, so seven ones should give 0 bits, and gave {got:.4g}.")


@check_bits.stage("A uniform guess among V characters costs log2(V)")
def uniform(bits: Callable[..., Any], rng: Rng) -> None:
    got = _number(bits(np.full(5, 1 / 64)))
    mistakes = [
        (-6.0, "The sign: probabilities are below 1, so their logarithm is negative. Negate it."),
        (6 * math.log(2), "These are nats (np.log): bits want the logarithm to base 2, np.log2."),
        (
            6 / 64,
            "The costs are weighted with the probabilities, as in an entropy: here every "
            "character of the text counts once.",
        ),
        (30.0, "This is the sum over the text: per character means the mean."),
    ]
    expect_close(got, 6.0, "64 equal chances are 2**6, so 6 bits.", mistakes)


@check_bits.stage("Mixed luck: the mean of the costs", points=2)
def mixed(bits: Callable[..., Any], rng: Rng) -> None:
    probabilities = rng.uniform(0.05, 0.95, size=11)
    mistakes = [
        (
            -math.log2(probabilities.mean()),
            "This is the logarithm of the mean: take each logarithm first, and the mean last.",
        ),
    ]
    got = _number(bits(probabilities))
    expect_close(got, _bits(probabilities), "It differs from a loop.", mistakes)


@check_bits.stage("One impossible character")
def impossible(bits: Callable[..., Any], rng: Rng) -> None:
    with np.errstate(divide="ignore"):
        got = _number(bits(np.array([0.5, 0.0, 0.25])))
    expect(
        got == np.inf,
        f"A character that was given probability 0 and came costs infinitely much; got {got:.4g}. "
        "Leave the zero as it is: clipping hides that the model was sure, and wrong.",
    )
