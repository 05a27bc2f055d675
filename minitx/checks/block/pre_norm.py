"""A pre-norm block out of parts that are given."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_pre_norm = Exercise(
    name="block/pre_norm",
    title="A pre-norm block",
    call="block(x, attention, mlp, norm)",
    kind="implement",
    difficulty=1,
    minutes=10,
    insight="Two lines, and the parts are arguments: this is why a block needs no flags.",
)

Rng = np.random.Generator


def zero(x: np.ndarray) -> np.ndarray:
    return np.zeros_like(x)


def same(x: np.ndarray) -> np.ndarray:
    return x


def mixes(x: np.ndarray) -> np.ndarray:
    """Stands for attention: each token hears the mean of all."""
    return np.tanh(x + x.mean(axis=0))


def squares(x: np.ndarray) -> np.ndarray:
    """Stands for the channel mixer."""
    return np.maximum(x, 0) ** 2


def doubled(x: np.ndarray) -> np.ndarray:
    """Stands for the norm."""
    return 2 * x + 1


@check_pre_norm.stage("Parts that say nothing leave the stream as it is")
def silent(block: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=(4, 3))
    mistakes = [
        (zero(x), "What a part says takes the place of the stream: it is added to it."),
        (
            doubled(doubled(x)),
            "The stream itself was normalised: the norm is for what a part hears.",
        ),
        (2 * x, "The stream was added to itself: each part is added once."),
    ]
    expect_close(block(x, zero, zero, doubled), x, "x must come back.", mistakes)


@check_pre_norm.stage("Attention alone")
def attention_alone(block: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=(4, 3))
    mistakes = [
        (x + mixes(x), "Attention hears the stream without the norm: attention(norm(x))."),
        (x, "Attention has no effect: what it adds is lost before the end."),
        (x + doubled(mixes(x)), "The norm stands behind attention, and belongs before it."),
    ]
    want = x + mixes(doubled(x))
    expect_close(block(x, mixes, zero, doubled), want, "x + attention(norm(x)) is asked.", mistakes)


@check_pre_norm.stage("Both, one after the other", points=2)
def both(block: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=(4, 3))
    heard = x + mixes(doubled(x))
    mistakes = [
        (
            heard + squares(doubled(x)),
            "The channel mixer hears x as it came in: it must hear what attention has added.",
        ),
        (heard + squares(heard), "The channel mixer hears the stream without the norm."),
        (
            x + squares(doubled(x)) + mixes(doubled(x + squares(doubled(x)))),
            "The channel mixer comes first: attention does.",
        ),
    ]
    want = heard + squares(doubled(heard))
    got = block(x, mixes, squares, doubled)
    expect_close(got, want, "h + mlp(norm(h)) with h = x + attention(norm(x)).", mistakes)
