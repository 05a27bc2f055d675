"""The loss of next tokens, all positions at once."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_loss = Exercise(
    name="decoder/loss",
    title="Bits per token, all positions at once",
    call="loss(logits, ids)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="One pass over T tokens gives T - 1 lessons: that is why transformers train fast.",
)


def bits(logits: np.ndarray, answers: np.ndarray) -> list[float]:
    """The cost of each answer under its row of scores, one at a time."""
    costs = []
    for row, answer in zip(logits, answers):
        top = max(row)
        total = sum(math.exp(score - top) for score in row)
        costs.append((math.log(total) + top - row[answer]) / math.log(2))
    return costs


def _number(got: Any) -> np.ndarray:
    return expect_array(got, (), lists=True)


def _mistakes(logits: np.ndarray, ids: np.ndarray) -> list[tuple[Any, str]]:
    right = bits(logits[:-1], ids[1:])
    around = bits(logits, np.roll(ids, -1))
    return [
        (
            np.mean(bits(logits, ids)),
            "Row t is compared with token t, which the model has just read: its target is token "
            "t + 1.",
        ),
        (
            np.mean(bits(logits[1:], ids[:-1])),
            "The shift goes the wrong way: row t is compared with token t - 1, which it has read.",
        ),
        (
            np.mean(around),
            "The last row is compared with the first token: nothing is known to follow the last, "
            "so leave that row out.",
        ),
        (np.sum(right) / len(ids), "There are T - 1 targets: divide by T - 1, not by T."),
        (np.sum(right), "This is the sum over the tokens: take the mean."),
        (np.mean(right) * math.log(2), "These are nats: divide by log 2, or use np.log2."),
        (-np.mean(right), "The sign: logarithms of probabilities are negative."),
        (
            -math.log2(np.mean([2**-cost for cost in right])),
            "This is the logarithm of the mean probability: take each logarithm first.",
        ),
    ]


@check_loss.stage("A model that is always right and sure pays nothing")
def sure(loss: Callable[..., Any], rng: Rng) -> None:
    ids = np.array([2, 0, 3, 1, 1, 4])
    logits = np.zeros((6, 5))
    logits[np.arange(5), ids[1:]] = 60.0
    got = _number(loss(logits, ids))
    expect_close(
        got, 0.0, "Row t is sure of token t + 1, so it costs nothing.", _mistakes(logits, ids)
    )


@check_loss.stage("Equal scores for V tokens cost log2(V)")
def uniform(loss: Callable[..., Any], rng: Rng) -> None:
    logits, ids = np.full((7, 8), 1.5), rng.integers(0, 8, 7)
    got = _number(loss(logits, ids))
    expect_close(got, 3.0, "8 equal chances are 3 bits.", _mistakes(logits, ids)[3:7])


@check_loss.stage("As a loop over the tokens says", points=2)
def loop(loss: Callable[..., Any], rng: Rng) -> None:
    logits, ids = rng.normal(size=(11, 7)), rng.integers(0, 7, 11)
    want = np.mean(bits(logits[:-1], ids[1:]))
    got = _number(loss(logits, ids))
    expect_close(got, want, "It differs from a loop.", _mistakes(logits, ids))


@check_loss.stage("Scores of a thousand")
def large(loss: Callable[..., Any], rng: Rng) -> None:
    logits, ids = rng.normal(size=(5, 3)) + 1000, rng.integers(0, 3, 5)
    got = _number(loss(logits, ids))
    expect(
        np.isfinite(got),
        "Too large: exp(1000) overflows. Subtract the largest score of each row first; "
        "it changes no ratio.",
    )
    expect_close(got, np.mean(bits(logits[:-1], ids[1:])), "It differs from a loop.")
