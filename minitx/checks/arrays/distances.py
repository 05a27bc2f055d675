"""All squared distances between two sets of points."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close

Rng = np.random.Generator

check_distances = Exercise(
    name="arrays/distances",
    title="All distances at once",
    call="distances(x, y)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="One matrix product does the work of three loops, and needs room for the result alone.",
)


def _loop(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    found = np.zeros((len(x), len(y)))
    for i in range(len(x)):
        for j in range(len(y)):
            found[i, j] = sum((a - b) ** 2 for a, b in zip(x[i], y[j]))
    return found


@check_distances.stage("Two points")
def two_points(distances: Callable[..., Any], rng: Rng) -> None:
    x, y = np.array([[1.0, 2.0, 2.0]]), np.array([[4.0, 6.0, 2.0]])
    mistakes = [
        ([[5.0]], "That is the distance: its square is asked for, so take no root."),
        ([[7.0]], "Absolute differences were added: add their squares."),
        ([[x[0] @ y[0]]], "That is the inner product: it is one of three terms."),
        ([[65.0 - x[0] @ y[0]]], "In (a - b)² the product of a and b comes twice."),
    ]
    message = "From (1, 2, 2) to (4, 6, 2) it is 3² + 4²."
    expect_close(distances(x, y), [[25.0]], message, mistakes)


@check_distances.stage(
    "5 points and 7 points, against a loop",
    points=2,
    hint="x is (5, 3) and y is (7, 3): lengths of (5,) want a new axis, [:, None], to meet (7,).",
)
def against_a_loop(distances: Callable[..., Any], rng: Rng) -> None:
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    want = _loop(x, y)
    got = expect_array(distances(x, y))
    mistakes = [
        (want.T, "Rows and columns are swapped: row i belongs to point i of x."),
        (np.diag(want[:5, :5]), "Only pairs of equal number were compared: every x meets every y."),
    ]
    expect_close(got, want, "It differs from the loop.", mistakes)


@check_distances.stage("As many points as other points")
def square(distances: Callable[..., Any], rng: Rng) -> None:
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    want, xx, yy = _loop(x, y), (x * x).sum(1), (y * y).sum(1)
    cause = (
        "With 5 and 7 points the shapes were right, with 4 and 4 a row meets a column: "
        "give the lengths of x an axis of their own."
    )
    mistakes = [
        (xx + yy - 2 * x @ y.T, cause),
        (xx[:, None] + yy[:, None] - 2 * x @ y.T, cause),
        (want.T, cause),
    ]
    expect_close(distances(x, y), want, "It differs from the loop for 4 and 4 points.", mistakes)


@check_distances.stage(
    "3,000 points and 2,000 points of 100 numbers",
    hint="An array (3000, 2000, 100) has 600 million entries. Multiply out (a - b)² first.",
)
def large(distances: Callable[..., Any], rng: Rng) -> None:
    x, y = rng.normal(size=(3000, 100)), rng.normal(size=(2000, 100))
    got = expect_array(distances(x, y), (3000, 2000))
    rows = rng.integers(0, 2000, 5)
    want = _loop(x[rows], y[rows])
    expect_close(got[np.ix_(rows, rows)], want, "It differs from the loop for many points.")
