"""The gradient of the causal sums, by sums that run the other way."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_close
from minitx.checks.linear.oracle import Rng, normal, pulled

check_gradients = Exercise(
    name="linear/gradients",
    title="Backwards, with two running sums",
    call="gradients(q, k, v, g)",
    kind="implement",
    difficulty=3,
    minutes=30,
    insight="One sum runs forwards and one backwards; no state of any token had to be kept.",
)


def _three(gradients: Callable[..., Any], *arguments: np.ndarray) -> tuple[Any, Any, Any]:
    got = gradients(*arguments)
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three arrays: `return dq, dk, dv`.",
    )
    return tuple(got)


@check_gradients.stage("One token")
def one_token(gradients: Callable[..., Any], rng: Rng) -> None:
    arguments = normal(rng, (1, 3), (1, 3), (1, 2), (1, 2))
    q, k, v, g = arguments
    for name, got, want in zip(
        ("dq", "dk", "dv"), _three(gradients, *arguments), pulled(*arguments)
    ):
        message = f"With one token y = (q . k) v: the gradient {name} is off."
        wrong = [
            (
                (g @ v.T) * {"dq": q, "dk": k}.get(name, 0),
                f"The gradient {name} has its own vector in it.",
            )
        ]
        expect_close(got, want, message, wrong if name != "dv" else (), what=f"the gradient {name}")


def _running(x: np.ndarray, backwards: bool = False, skip: bool = False) -> np.ndarray:
    """Cumulative sums of x (T, m, e) over tokens; ``skip`` leaves out the token itself."""
    total = np.cumsum(x[::-1], axis=0)[::-1] if backwards else np.cumsum(x, axis=0)
    return total - x if skip else total


@check_gradients.stage("Queries hear from the past")
def of_queries(gradients: Callable[..., Any], rng: Rng) -> None:
    _, k, v, g = arguments = normal(rng, (7, 3), (7, 3), (7, 2), (7, 2))
    kv = k[:, :, None] * v[:, None]
    mistakes = [
        (
            np.einsum("tme,te->tm", _running(kv, backwards=True), g),
            "The gradient dq took its state from the future: query t met the keys j <= t.",
        ),
        (
            np.einsum("tme,te->tm", _running(kv, skip=True), g),
            "The gradient dq leaves out the token itself: S_t has token t in it.",
        ),
        (g @ (k.T @ v).T, "Every query got the last state: query t met S_t."),
    ]
    want = pulled(*arguments)[0]
    expect_close(
        _three(gradients, *arguments)[0],
        want,
        "It should be dq_t = S_t g_t.",
        mistakes,
        what="the gradient dq",
    )


@check_gradients.stage("Keys and values hear from the future", points=3)
def of_the_past(gradients: Callable[..., Any], rng: Rng) -> None:
    q, k, v, g = arguments = normal(rng, (7, 3), (7, 3), (7, 2), (7, 2))
    _, dk, dv = _three(gradients, *arguments)
    _, want_k, want_v = pulled(*arguments)
    qg = q[:, :, None] * g[:, None]
    sums = [
        (
            _running(qg),
            "was summed over the past: key j is heard by the queries t >= j. Turn the order round, "
            "sum, and turn it back.",
        ),
        (_running(qg, backwards=True, skip=True), "leaves out t = j: a token hears itself too."),
        (np.broadcast_to(qg.sum(0), qg.shape), "was summed over all tokens: only t >= j."),
    ]
    for name, got, want, spelled in (
        ("dk", dk, want_k, lambda r: np.einsum("tme,te->tm", r, v)),
        ("dv", dv, want_v, lambda r: np.einsum("tme,tm->te", r, k)),
    ):
        mistakes = [(spelled(r), f"R in {name} {why}") for r, why in sums]
        message = f"The gradient {name}_j needs R_j, the sum of q_t g_t^T over t >= j."
        expect_close(got, want, message, mistakes, what=f"the gradient {name}")


@check_gradients.stage(
    "Fifty thousand tokens",
    hint="Two running sums of (m, e) numbers are enough: is there a matrix of (T, T)?",
)
def long(gradients: Callable[..., Any], rng: Rng) -> None:
    q, k, v, g = normal(rng, (50_000, 3), (50_000, 3), (50_000, 2), (50_000, 2))
    dq, dk, dv = (np.asarray(slope) for slope in _three(gradients, q, k, v, g))
    state, asked = k.T @ v, q.T @ g
    for name, got, want in (
        ("dq of the last token", dq[-1], state @ g[-1]),
        ("dk of the first token", dk[0], asked @ v[0]),
        ("dv of the first token", dv[0], asked.T @ k[0]),
    ):
        expect_close(got, want, f"With many tokens {name} is off.", what=f"the gradient {name}")
