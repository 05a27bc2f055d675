"""The delta rule, token by token."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.delta.oracle import Rng, answers, empty, states, unit
from minitx.checks.exercise import Exercise
from minitx.checks.expect import Mistakes, expect_close

check_rule = Exercise(
    name="delta/rule",
    title="Ask, then write what is missing",
    call="delta_rule(q, k, v, beta)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="A sum with one question before each write, and the question is what makes it a table.",
)


def _mistakes(q: np.ndarray, k: np.ndarray, v: np.ndarray, beta: np.ndarray) -> Mistakes:
    plain, early, all_kept = empty(k, v), empty(k, v), empty(k, v)
    sums, before, half = (np.zeros_like(v) for _ in range(3))
    for t in range(len(q)):
        plain = plain + beta[t] * np.outer(k[t], v[t])
        sums[t] = plain.T @ q[t]
        before[t] = early.T @ q[t]
        early = early + beta[t] * np.outer(k[t], v[t] - early.T @ k[t])
        all_kept = all_kept + np.outer(k[t], beta[t] * v[t] - all_kept.T @ k[t])
        half[t] = all_kept.T @ q[t]
    asked = [s.T @ key for s, key in zip(states(k, v, beta, empty(k, v)), k, strict=True)]
    return [
        (sums, "Nothing is taken away: that is a sum. Write v - S^T k, not v."),
        (before, "Token t is answered before it is written: write first, then ask with q."),
        (
            half,
            "The step beta scales the new value alone: it scales all that is missing, v - S^T k.",
        ),
        (np.stack(asked), "The answer was asked for with the key: ask with the query."),
    ]


@check_rule.stage("What is written can be read")
def read(rule: Callable[..., Any], rng: Rng) -> None:
    k, v = unit(rng, 1, 3), rng.normal(size=(1, 2))
    mistakes = [(np.zeros_like(v), "The answer comes before the write: token t hears itself.")]
    message = "One token with k = q of length 1 and beta = 1 must get its value back."
    expect_close(rule(k, k, v, np.ones(1)), v, message, mistakes)


@check_rule.stage("A key that is written again has its new value")
def overwritten(rule: Callable[..., Any], rng: Rng) -> None:
    k = unit(rng, 1, 4).repeat(3, axis=0)
    v, beta = rng.normal(size=(3, 2)), np.ones(3)
    sums = [
        (np.cumsum(v, axis=0), "Values of the same key add up: take away what it answers first.")
    ]
    expect_close(rule(k, k, v, beta), v, "The latest value is wanted.", sums)


@check_rule.stage("As products of I - beta k k^T say", points=2)
def against_products(rule: Callable[..., Any], rng: Rng) -> None:
    q, k, v = rng.normal(size=(7, 3)), unit(rng, 7, 3), rng.normal(size=(7, 5))
    beta = rng.uniform(0.2, 0.9, 7)
    message = "It differs from the state with every matrix formed."
    expect_close(rule(q, k, v, beta), answers(q, k, v, beta), message, _mistakes(q, k, v, beta))


@check_rule.stage("Keys of any length")
def lengths(rule: Callable[..., Any], rng: Rng) -> None:
    q, k, v = rng.normal(size=(6, 3)), 1.3 * unit(rng, 6, 3), rng.normal(size=(6, 2))
    beta = rng.uniform(0, 1, 6)
    message = "Take keys as they come: they are not to be divided by their length here."
    expect_close(rule(q, k, v, beta), answers(q, k, v, beta), message)
