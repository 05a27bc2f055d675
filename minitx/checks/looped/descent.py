"""A layer of linear attention in a loop, against descent on w itself."""

from collections.abc import Callable

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_descent = Exercise(
    name="looped/descent",
    title="Descent in a loop",
    call="descent(x, r, step, loops)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="No w was ever written down: it is spread over the rests of all tokens, and every "
    "pass takes one more step with it.",
)

Rng = np.random.Generator
Answer = Callable[..., np.ndarray]


def _oracle(x: np.ndarray, r: np.ndarray, step: np.ndarray, loops: int) -> np.ndarray:
    w = np.zeros(x.shape[1])
    for _ in range(loops):
        push = sum((r[i] - x[i] @ w) * x[i] for i in range(len(x) - 1)) / (len(x) - 1)
        w = w + step @ push
    return r - x @ w


def _variant(x, r, step, loops, divisor=None, heard=False, sign=-1.0):
    """The layer with a mistake."""
    n = len(x) - 1
    keys = x if heard else x[:-1]
    for _ in range(loops):
        rests = r if heard else r[:-1]
        r = r + sign * x @ step @ (keys.T @ rests) / (divisor or n)
    return r


def _prompt(rng: Rng, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal((n + 1, d))
    r = x @ rng.standard_normal(d)
    r[-1] = 0
    return x, r


def _ask(descent: Answer, rng: Rng, n: int, step: np.ndarray, loops: int, message: str) -> None:
    x, r = _prompt(rng, n, len(step))
    got = descent(x, r, step, loops)
    mistakes = [
        (_variant(x, r, step, loops, sign=1.0), "The sign is turned over: what is explained is "
         "taken off the rests."),
        (_variant(x, r, step, loops, divisor=1), "The sum over the examples should be divided by "
         "their number n."),
        (_variant(x, r, step, loops, divisor=n + 1), "Divide by n, the examples alone: the "
         "question is one token more."),
        (_variant(x, r, step, loops, heard=True), "The question is heard as well, and its rest is "
         "no example's: sum over the others."),
        (_variant(x, r, step.T, loops), "A stands the wrong way round: token j hears "
         "x_j . A (sum of x_i r_i)."),
        (_variant(x, r, step, 1), "Only one pass was made: the loop begins anew each time."),
        (-_oracle(x, r, step, loops)[-1], "Return the rests of all tokens, (n + 1,), not the "
         "prediction."),
    ]  # fmt: skip
    expect_close(got, _oracle(x, r, step, loops), message, mistakes)


@check_descent.stage("One pass, one number a token")
def one_number(descent: Answer, rng: Rng) -> None:
    _ask(descent, rng, 2, np.array([[0.2]]), 1, "r_j - x_j A (1/n) sum_i x_i r_i.")


@check_descent.stage("One pass, three numbers a token")
def three_numbers(descent: Answer, rng: Rng) -> None:
    step = 0.1 * rng.standard_normal((3, 3))
    _ask(descent, rng, 5, step, 1, "One number a token works, three do not.")


@check_descent.stage("Seven passes", points=2)
def seven(descent: Answer, rng: Rng) -> None:
    step = 0.1 * np.eye(4) + 0.02 * rng.standard_normal((4, 4))
    _ask(descent, rng, 11, step, 7, "One pass is right, seven are not.")


@check_descent.stage("No pass at all")
def none(descent: Answer, rng: Rng) -> None:
    x, r = _prompt(rng, 3, 2)
    got = descent(x, r, np.eye(2), 0)
    expect_close(got, r, "Without a pass the rests are what they were.")
