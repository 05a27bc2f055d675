"""A tree of one's own making that fools a beam of a given width."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Rng
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

check_misled = Exercise(
    name="encoder_decoder/misled",
    title="Open: fool a beam of any width",
    call="misled(k)",
    kind="open",
    difficulty=3,
    minutes=25,
    insight="Whatever the width, some tree fools it: only a look at every text is sure.",
)

APART = 1e-6


def _tree(misled: Callable[..., Any], k: int) -> tuple[np.ndarray, np.ndarray]:
    got = misled(k)
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Return two arrays: `return first, second`.",
    )
    first, second = (
        expect_array(x, what=f"{name} of misled") for name, x in zip(("first", "second"), got)
    )
    expect(
        first.ndim == 1 and second.ndim == 2 and len(first) == len(second),
        f"first should be (n,) and second (n, m); they are {first.shape} and {second.shape}.",
    )
    expect(
        first.size * second.shape[1] < 10**6, "A smaller tree will do: less than a million texts."
    )
    expect(
        (first >= 0).all() and (second >= 0).all(), "Probabilities are not negative, and some are."
    )
    sums = np.concatenate([[first.sum()], second.sum(axis=1)])
    expect(
        np.allclose(sums, 1, atol=1e-9),
        f"The words that may come next have probabilities that add up to 1; some of yours add up "
        f"to {sums[abs(sums - 1).argmax()]:.4g} (rows of second, and first).",
    )
    return first, second


def _fooled(misled: Callable[..., Any], k: int) -> float:
    """Fails unless the tree fools k beams and not k + 1; returns best / found."""
    first, second = _tree(misled, k)
    expect(
        len(first) > k,
        f"With {len(first)} first words a beam of {k} drops none of them: it needs more than k.",
    )
    order = np.argsort(-first)
    expect(
        first[order[k - 1]] - first[order[k]] > APART,
        f"The first words number {k} and {k + 1} are equally probable, so it hangs on the order of "
        "equals which is kept: make them differ.",
    )
    whole = (first[:, None] * second).max(axis=1)  # the best text of each first word
    found, wider, top = whole[order[:k]].max(), whole[order[: k + 1]].max(), whole.max()
    expect(
        top - found > APART,
        f"A beam of {k} is not fooled: it finds a text of {found:.4f}, and the best has {top:.4f}. "
        "The best text must begin with a word that is dropped.",
    )
    expect(
        top - wider < APART,
        f"A beam of {k} is fooled, but so is one of {k + 1}: it finds {wider:.4f}, and the best "
        f"text has {top:.4f}. Let its first word be number {k + 1}.",
    )
    return float(top / found)


@check_misled.stage("A greedy writer")
def one(misled: Callable[..., Any], rng: Rng) -> None:
    _fooled(misled, 1)


@check_misled.stage("Three beams", points=2)
def three(misled: Callable[..., Any], rng: Rng) -> None:
    _fooled(misled, 3)


@check_misled.stage("Twenty-nine beams")
def many(misled: Callable[..., Any], rng: Rng) -> str:
    ratio = _fooled(misled, 29)
    return (
        f"With 29 beams the best text is {ratio:.3g} times as probable as what is found. Is there "
        "a limit to that?"
    )
