"""Clipping by the norm of all gradients together."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect, expect_close

check_clip = Exercise(
    name="training/clip",
    title="Clip the norm",
    call="clip(gradients, limit)",
    kind="implement",
    difficulty=1,
    minutes=10,
    insight="One factor for all: the step gets shorter, and its direction stays.",
)

Rng = np.random.Generator


def length(arrays: list[np.ndarray]) -> float:
    """The oracle: the norm of all numbers as one vector."""
    return math.sqrt(sum(float(number) ** 2 for a in arrays for number in a.ravel()))


def _asked(clip: Callable[..., Any], arrays: list[np.ndarray], limit: float) -> list[Any]:
    before = [a.copy() for a in arrays]
    got = clip(arrays, limit)
    expect(
        isinstance(got, tuple | list) and len(got) == len(arrays),
        f"Your function should return a list of {len(arrays)} arrays, and returned "
        f"{describe(got)}.",
    )
    untouched = all(np.array_equal(a, b) for a, b in zip(arrays, before))
    expect(untouched, "The given gradients have changed: return new arrays.")
    return list(got)


def _compare(got: list[Any], want: list[np.ndarray], message: str, mistakes: Any = ()) -> None:
    """All arrays at once, so that a mistake is known by what it does to all."""
    shapes = [np.shape(a) for a in got]
    expect(
        shapes == [a.shape for a in want],
        f"Every array keeps its shape: expected {[a.shape for a in want]}, got {shapes}.",
    )
    flat = [(np.concatenate([a.ravel() for a in wrong]), cause) for wrong, cause in mistakes]
    joined = np.concatenate([np.ravel(a) for a in got])
    expect_close(joined, np.concatenate([a.ravel() for a in want]), message, flat)


@check_clip.stage(
    "What is short enough stays as it is",
    hint="The arrays differ in shape: sum the squares of each, then these sums.",
)
def short(clip: Callable[..., Any], rng: Rng) -> None:
    g = [np.array([3.0, -4.0]), np.array([[0.0], [12.0]])]
    mistakes = [
        ([a * 26 / 13 for a in g], "Short gradients were made longer: the factor is at most 1."),
        ([a * 26 / 169 for a in g], "Divided by the squared norm: its root is meant."),
    ]
    _compare(_asked(clip, g, 26.0), g, "The norm is 13, the limit 26.", mistakes)


@check_clip.stage("One array that is too long")
def one_array(clip: Callable[..., Any], rng: Rng) -> None:
    g = [np.array([3.0, -4.0, 12.0])]
    mistakes = [
        ([np.clip(g[0], -6.5, 6.5)], "Each number was clipped by itself: that turns the vector."),
        ([g[0] / 13], "It has the norm 1: multiply by the limit as well."),
        ([g[0] * 6.5 / (13 + 1e-6)], "Something was added to the norm: leave it as it is."),
        ([g[0] * 6.5 / 19], "The norm is the root of the sum of squares, 13, not the sum 19."),
        (g, "Nothing was clipped: the norm is 13 and the limit 6.5."),
        ([np.zeros(3)], "Nothing is left: too long gradients are scaled, not dropped."),
    ]
    _compare(_asked(clip, g, 6.5), [g[0] / 2], "The norm is 13, the limit 6.5.", mistakes)


@check_clip.stage("Several arrays are one vector", points=2)
def several(clip: Callable[..., Any], rng: Rng) -> None:
    g = [rng.normal(size=shape) for shape in ((3, 5), (7,), (2, 1, 2))]
    limit, total = 1.5, length(g)
    each = [a * min(1, limit / length([a])) for a in g]
    added = [a * min(1, limit / sum(length([b]) for b in g)) for a in g]
    largest = [a * min(1, limit / max(length([b]) for b in g)) for a in g]
    mistakes = [
        (each, "Each array was clipped by itself: their proportions are lost, so the direction."),
        (added, "The norms were added: squares are, and the root is taken at the end."),
        (largest, "The norm of the longest array was taken for that of all."),
    ]
    want = [a * limit / total for a in g]
    _compare(_asked(clip, g, limit), want, f"The norm of all is {total:.4g}.", mistakes)


@check_clip.stage("Nothing but zeros")
def zeros(clip: Callable[..., Any], rng: Rng) -> None:
    g = [np.zeros((2, 3)), np.zeros(4)]
    _compare(_asked(clip, g, 1.0), g, "A norm of 0: divide only by what is above the limit.")
