"""What all tokens of a chunk write, from one triangular system."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.delta.oracle import Rng, states, unit
from minitx.checks.exercise import Exercise
from minitx.checks.expect import Mistakes, expect_close

check_written = Exercise(
    name="delta/written",
    title="A chunk at once",
    call="written(k, v, beta, state)",
    kind="implement",
    difficulty=3,
    minutes=30,
    insight="T questions that seemed to wait for one another are one triangular system.",
)


def rows(k: np.ndarray, v: np.ndarray, beta: np.ndarray, state: np.ndarray) -> np.ndarray:
    """u_t (T, e): what token t adds to the state is k_t u_t^T."""
    before = [state, *states(k, v, beta, state)[:-1]]
    return np.stack([b * (x - s.T @ key) for key, x, b, s in zip(k, v, beta, before, strict=True)])


def _mistakes(k: np.ndarray, v: np.ndarray, beta: np.ndarray, state: np.ndarray) -> Mistakes:
    eye, gram, b = np.eye(len(k)), k @ k.T, beta[:, None]
    missing = b * (v - k @ state)
    return [
        (missing, "Each token sees only the state before the chunk: those before it wrote, too."),
        (
            np.linalg.solve(eye + b * np.tril(gram), missing),
            "The diagonal is in the system twice: A is strictly below it, np.tril(.., -1).",
        ),
        (
            np.linalg.solve(eye + b * np.triu(gram, 1), missing),
            "Tokens hear the future: A has rows of later tokens, columns of earlier ones.",
        ),
        (
            np.linalg.solve(eye + np.tril(gram, -1) * beta, missing),
            "The step beta stands at the columns of A: it belongs to the token that writes, a row.",
        ),
        (
            np.linalg.solve(eye + np.tril(gram, -1), missing),
            "The step beta is missing in A: in u_t = beta_t (v_t - ...) it multiplies the whole.",
        ),
        (
            np.linalg.solve(eye - b * np.tril(gram, -1), missing),
            "The sign of A: what others wrote is taken away, so on the left it stands with a plus.",
        ),
        (
            rows(k, v, beta, 0 * state),
            "The state before the chunk was not asked: begin with v - k S.",
        ),
        (
            np.linalg.solve(eye + b * np.tril(gram, -1), v - k @ state),
            "The right hand side has no beta.",
        ),
    ]


@check_written.stage("Two tokens, an empty state")
def two(written: Callable[..., Any], rng: Rng) -> None:
    k, v, beta = unit(rng, 2, 3), rng.normal(size=(2, 4)), rng.uniform(0.3, 0.9, 2)
    state = np.zeros((3, 4))
    first, second = beta[0] * v[0], beta[1] * (v[1] - (k[1] @ k[0]) * beta[0] * v[0])
    message = "u_1 = beta_1 v_1 and u_2 = beta_2 (v_2 - (k_2 . k_1) u_1)."
    mistakes = _mistakes(k, v, beta, state)[:-2]
    expect_close(written(k, v, beta, state), np.stack([first, second]), message, mistakes)


@check_written.stage("Seven tokens and a state before them", points=3)
def seven(written: Callable[..., Any], rng: Rng) -> None:
    k, v, beta = unit(rng, 7, 3), rng.normal(size=(7, 2)), rng.uniform(0.3, 0.9, 7)
    state = rng.normal(size=(3, 2))
    want = rows(k, v, beta, state)
    message = "It differs from the loop over tokens."
    expect_close(written(k, v, beta, state), want, message, _mistakes(k, v, beta, state))


@check_written.stage("The state after the chunk")
def after(written: Callable[..., Any], rng: Rng) -> None:
    k, v, beta = 1.2 * unit(rng, 9, 4), rng.normal(size=(9, 3)), rng.uniform(0, 1, 9)
    state = rng.normal(size=(4, 3))
    found = state + k.T @ np.asarray(written(k, v, beta, state), dtype=float)
    expect_close(found, states(k, v, beta, state)[-1], "S + k^T u is not the state afterwards.")
