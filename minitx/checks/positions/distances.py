"""A vector for each distance: Shaw's part of the score."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_distances = Exercise(
    name="positions/distances",
    title="A vector for each distance",
    call="distance_scores(q, table, reach)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="2 reach + 1 products for a query, looked up for all keys: no (T, T, d) is needed.",
)

Rng = np.random.Generator


def scores_by(q: np.ndarray, table: np.ndarray, row: Callable[[int, int], int]) -> np.ndarray:
    """The oracle: q_i times the row of the table for i and j, pair by pair."""
    T = len(q)
    out = np.zeros((T, T))
    for i in range(T):
        for j in range(T):
            out[i, j] = sum(a * b for a, b in zip(q[i], table[row(i, j)]))
    return out


def _clipped(distance: int, reach: int) -> int:
    return max(-reach, min(reach, distance))


def _mistakes(q: np.ndarray, table: np.ndarray, reach: int) -> list[tuple[Any, str]]:
    size = len(table)
    rows = [
        (
            lambda i, j: _clipped(i - j, reach) + reach,
            "The distance runs the other way: it is key minus query, j - i, so a token before "
            "the query is at a negative distance.",
        ),
        (
            lambda i, j: _clipped(j - i, reach) % size,
            "The distance is used as the row itself: distance -reach is row 0, distance 0 is row "
            "`reach`. A negative index counts from the end and raises nothing.",
        ),
        (
            lambda i, j: _clipped(abs(j - i), reach) + reach,
            "Before and after look alike: the distance lost its sign.",
        ),
        (
            lambda i, j: (j - i + reach) % size,
            "Distances beyond the reach wrap around to the other end: clip to -reach ... reach.",
        ),
        (
            lambda i, j: max(0, min(size - 1, j)),
            "The row depends on the key's place alone: it is the distance j - i that counts.",
        ),
    ]
    found = [(scores_by(q, table, row), cause) for row, cause in rows]
    right = scores_by(q, table, lambda i, j: _clipped(j - i, reach) + reach)
    found.append((right.T, "Rows and columns are turned: row i belongs to the query i."))
    found.append((right / np.sqrt(q.shape[1]), "No scale here: return the bare products."))
    return found


def _right(q: np.ndarray, table: np.ndarray, reach: int) -> np.ndarray:
    return scores_by(q, table, lambda i, j: _clipped(j - i, reach) + reach)


@check_distances.stage("One token, at distance 0 of itself")
def one_token(distance_scores: Callable[..., Any], rng: Rng) -> None:
    q, table = rng.normal(size=(1, 5)), rng.normal(size=(7, 5))
    message = "A token is at distance 0 of itself, which is row `reach` of the table."
    want = _right(q, table, 3)
    expect_close(distance_scores(q, table, 3), want, message, _mistakes(q, table, 3))


@check_distances.stage("All distances within reach", points=2)
def within_reach(distance_scores: Callable[..., Any], rng: Rng) -> None:
    q, table = rng.normal(size=(4, 5)), rng.normal(size=(7, 5))
    want = _right(q, table, 3)
    message = "It differs from the loop over queries and keys."
    expect_close(distance_scores(q, table, 3), want, message, _mistakes(q, table, 3))


@check_distances.stage(
    "Distances beyond the reach share the last vectors",
    hint="Here are 9 tokens and a reach of 2: distances go to 8, and the table has 5 rows. Clip.",
)
def beyond(distance_scores: Callable[..., Any], rng: Rng) -> None:
    q, table = rng.normal(size=(9, 3)), rng.normal(size=(5, 3))
    want = _right(q, table, 2)
    zero = np.where(np.abs(np.arange(9) - np.arange(9)[:, None]) > 2, 0, want)
    mistakes = _mistakes(q, table, 2)
    mistakes.append((zero, "Far keys got 0: they get the product with the last vector there is."))
    message = "Near distances are right, far ones are not: clip them to -reach ... reach."
    expect_close(distance_scores(q, table, 2), want, message, mistakes)
