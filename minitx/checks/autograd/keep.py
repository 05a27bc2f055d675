"""Which states to keep, so that recomputation needs little memory."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

Rng = np.random.Generator

check_keep = Exercise(
    name="autograd/keep",
    title="Open: what to keep, and what to compute again",
    call="keep(steps)",
    kind="open",
    difficulty=2,
    minutes=25,
    insight="One more forward pass buys memory that grows as the root of the depth.",
)


def _peak(keep: Callable[[int], Any], steps: int) -> tuple[int, int]:
    """(how many states are kept, the longest stretch that is computed again)."""
    got = keep(steps)
    expect(
        isinstance(got, list | tuple | range | np.ndarray),
        f"Your function should return a list of step numbers, and returned {describe(got)}.",
    )
    kept = list(got)
    expect(
        all(isinstance(i, int | np.integer) for i in kept),
        "A step number that is not whole came back: the states are numbered 0, 1, 2, ...",
    )
    kept = [int(i) for i in kept]
    expect(
        kept == sorted(set(kept)) and all(0 <= i < steps for i in kept),
        f"For {steps} steps, expected rising numbers from 0 to {steps - 1}, each once; got "
        f"{str(kept)[:60]}.",
    )
    expect(
        kept[:1] == [0],
        "State 0, the input, must be kept: without it the first stretch cannot be computed again.",
    )
    return len(kept), max(b - a for a, b in zip(kept, [*kept[1:], steps]))


def _expect_small(keep: Callable[[int], Any], steps: int, why: str) -> None:
    count, stretch = _peak(keep, steps)
    most = 2 * math.sqrt(steps) + 1
    if count + stretch <= most:
        return
    if count == steps:
        why = "Everything is kept, and nothing computed again."
    elif count == 1:
        why = "Only the input is kept: the whole chain is then held when it is computed again."
    expect(
        False,
        f"{steps} steps: {count} states kept and a stretch of {stretch} held, together "
        f"{count + stretch}, where {most:.1f} is allowed. {why}",
    )


@check_keep.stage("Four steps: the form of an answer")
def form(keep: Callable[[int], Any], rng: Rng) -> None:
    _peak(keep, 4)


@check_keep.stage("16, 100 and 400 steps", points=2)
def squares(keep: Callable[[int], Any], rng: Rng) -> None:
    for steps in (16, 100, 400):
        _expect_small(keep, steps, "Should the distance not grow with the number of steps?")


@check_keep.stage("Numbers of steps that are no squares", points=2)
def others(keep: Callable[[int], Any], rng: Rng) -> str:
    for steps in (*range(1, 40), 97, int(rng.integers(500, 1000)), 1013):
        _expect_small(keep, steps, "The last stretch ends at the last step: is it too long?")
    return "Could a stretch be treated in the same way again, and again?"
