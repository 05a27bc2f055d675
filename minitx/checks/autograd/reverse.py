"""The reverse sweep over a tape of numbers; the oracle solves a triangular system."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

Rng = np.random.Generator
Tape = list[list[tuple[int, float]]]

check_reverse = Exercise(
    name="autograd/reverse",
    title="The reverse sweep",
    call="reverse(tape)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="You have solved a triangular system by back-substitution: that is all the sweep is.",
)


def _solved(tape: Tape) -> np.ndarray:
    """g = e_last + Lᵀ g, where L[i, p] is the slope of node i by its parent p."""
    slopes = np.zeros((len(tape), len(tape)))
    for i, edges in enumerate(tape):
        for parent, slope in edges:
            slopes[i, parent] += slope
    last = np.eye(len(tape))[-1]
    return np.linalg.solve((np.eye(len(tape)) - slopes).T, last)


def _slopes(rng: Rng, count: int) -> list[float]:
    """Numbers away from 0 and from 1, so that no mistake hides."""
    return [float(s) for s in rng.uniform(1.2, 3.0, count) * rng.choice([-1, 1], count)]


@check_reverse.stage("A chain: the slopes multiply")
def chain(reverse: Callable[..., Any], rng: Rng) -> None:
    a, b, c = _slopes(rng, 3)
    tape: Tape = [[], [(0, a)], [(1, b)], [(2, c)]]
    mistakes = [
        ([a, b, c, 1], "These are the slopes: multiply each by the cotangent of its child."),
        ([1, a, a * b, a * b * c], "That runs from input to output: it is the forward sweep."),
        ([0, 0, c, 1], "Only the last step is there: go through the tape from its end."),
        ([0, 0, 0, 0], "All zeros: the output's own cotangent is 1, and all follows from it."),
        ([0, 0, 0, 1], "Nothing leaves the output: pass its cotangent on to its parents."),
    ]
    want = [a * b * c, b * c, c, 1]
    expect_close(reverse(tape), want, "Not the derivatives along a chain.", mistakes, lists=True)


@check_reverse.stage("A number that is used twice", points=2)
def fork(reverse: Callable[..., Any], rng: Rng) -> None:
    a, b, c, d = _slopes(rng, 4)
    tape: Tape = [[], [(0, a)], [(0, b)], [(1, c), (2, d)]]
    cause = (
        "Node 0 is used twice and only one of its two ways counts: add to a cotangent, "
        "do not replace it."
    )
    mistakes = [([c * a, c, d, 1], cause), ([d * b, c, d, 1], cause)]
    want = [c * a + d * b, c, d, 1]
    expect_close(
        reverse(tape), want, "Not the derivatives where the ways fork.", mistakes, lists=True
    )


@check_reverse.stage("Graphs at random, against a triangular system", points=2)
def random_graphs(reverse: Callable[..., Any], rng: Rng) -> None:
    for nodes in (5, 8, 13):
        tape: Tape = [[]]
        for i in range(1, nodes):  # the node just before, so that most matter, and any others
            parents = [i - 1, *rng.integers(0, i, rng.integers(0, 3))]
            if i == nodes // 2:
                parents = []  # an input in the middle: what is before it may not matter
            tape.append(list(zip(map(int, parents), _slopes(rng, len(parents)))))
        message = (
            f"It differs on a graph of {nodes} nodes. Has each node heard from all of its "
            "children before it passes anything on? And is an edge that is there twice, "
            "as in x·x, counted twice?"
        )
        expect_close(reverse(tape), _solved(tape), message, lists=True)


@check_reverse.stage(
    "20,000 steps, each using the one before it twice",
    hint="This tape is long, and Python's calls go about 1,000 deep: use a loop over the tape.",
)
def deep(reverse: Callable[..., Any], rng: Rng) -> None:
    signs = rng.choice([-1.0, 1.0], 20_000)
    tape: Tape = [[], *([(i, 1.5 * s), (i, -0.5 * s)] for i, s in enumerate(signs))]
    want = np.append(np.cumprod(signs[::-1])[::-1], 1.0)
    expect_close(reverse(tape), want, "It differs on a tape of 20,001 nodes.", lists=True)
