"""Features whose products come near to the exponential."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close
from minitx.checks.linear.oracle import Rng

check_features = Exercise(
    name="linear/features",
    title="Open: features for the exponential",
    call="features(x)",
    kind="open",
    difficulty=3,
    minutes=30,
    insight="Every power of q . k is a product of features; what you pay is their number.",
)

MOST, NEAR = 64, 0.01


def _within(rng: Rng, count: int) -> np.ndarray:
    """Points of the plane at most 1 from its origin, some of them at 1."""
    x = rng.normal(size=(count, 2))
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), rng.choice([1, 3], (count, 1)))


def _weights(parts: np.ndarray) -> np.ndarray:
    return parts / parts.sum(axis=1, keepdims=True)


def _made(features: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    got = expect_array(features(x))
    expect(
        got.ndim == 2 and len(got) == len(x),
        f"For x of shape {x.shape} your features should have a row for each of its {len(x)} rows, "
        f"and have the shape {got.shape}.",
    )
    expect(
        got.shape[1] <= MOST,
        f"There are {got.shape[1]} features: at most {MOST} are allowed. Random ones need many.",
    )
    return got


@check_features.stage("A row of features for each row, by itself")
def by_rows(features: Callable[..., Any], rng: Rng) -> None:
    x = _within(rng, 5)
    alone = np.concatenate([_made(features, x[i : i + 1]) for i in range(5)])
    message = "A row's features depend on the other rows: then sums cannot be taken token by token."
    expect_close(_made(features, x), alone, message)


@check_features.stage("No weight is negative")
def not_negative(features: Callable[..., Any], rng: Rng) -> None:
    q, k = _within(rng, 200), _within(rng, 300)
    products = _made(features, q) @ _made(features, k).T
    expect(
        products.min() > 0,
        f"The smallest product of features is {products.min():.3g}: weights have to be positive. "
        "1 + x stays above 0 for |x| < 1, and 1 + x + x^2/2 everywhere.",
    )


@check_features.stage(f"Weights within {NEAR} of a softmax", points=3)
def near(features: Callable[..., Any], rng: Rng) -> str:
    q, k = _within(rng, 200), _within(rng, 8)
    for edge in (q, k):
        edge[:2] = [[1.0, 0.0], [-0.6, 0.8]]
    found = _weights(_made(features, q) @ _made(features, k).T)
    wanted = _weights(np.exp(q @ k.T))
    gap = float(np.abs(found - wanted).max())
    equal = np.abs(found - 1 / 8).max() < 1e-9
    why = (
        "All weights are equal: the features have to depend on x."
        if equal
        else "One more power of q . k in the series of exp comes nearer."
    )
    expect(gap <= NEAR, f"A weight is {gap:.3f} away from the softmax's. {why}")
    count = _made(features, q).shape[1]
    return f"({count} features, and no weight is more than {gap:.4f} away.)"
