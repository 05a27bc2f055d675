"""LayerNorm in array operations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_layer_norm = Exercise(
    name="block/layer_norm",
    title="LayerNorm",
    call="layer_norm(x, weight, bias, eps)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="Each token by itself: no other token, no other sequence, no running mean.",
)

Rng = np.random.Generator


def normed(x: np.ndarray, weight: Any = 1.0, bias: Any = 0.0, eps: float = 1e-5) -> np.ndarray:
    """The oracle: one token after the other."""
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape[:-1]):
        token = x[index]
        mean = sum(token) / len(token)
        variance = sum((a - mean) ** 2 for a in token) / len(token)
        out[index] = (token - mean) / (variance + eps) ** 0.5 * weight + bias
    return out


@check_layer_norm.stage("A token of equal numbers becomes the bias")
def equal_numbers(layer_norm: Callable[..., Any], rng: Rng) -> None:
    x, weight, bias = np.full((2, 5), 3.0), rng.normal(size=5), rng.normal(size=5)
    want = np.stack([bias, bias])
    mistakes = [
        (np.zeros((2, 5)), "The bias is missing: it is added at the end."),
        (x / np.sqrt(9 + 1e-5) * weight + bias, "The mean is not taken off (that is RMSNorm)."),
    ]
    message = "Nothing is left after the mean, so only the bias remains (eps keeps 0 / 0 away)."
    expect_close(layer_norm(x, weight, bias, 1e-5), want, message, mistakes)


@check_layer_norm.stage("Mean 0 and mean square 1, token by token", points=2)
def plain(layer_norm: Callable[..., Any], rng: Rng) -> None:
    x = 3 + 2 * rng.normal(size=(4, 5))
    ones, zeros, tiny = np.ones(5), np.zeros(5), 1e-12
    centred = x - x.mean(1, keepdims=True)
    variance = x.var(1, keepdims=True)
    columns = (x - x.mean(0)) / np.sqrt(x.var(0) + tiny)
    mistakes = [
        (normed(x, eps=1e-5), "The eps that is given is not used, but one of your own."),
        (columns, "Each column was normalised, over the tokens: a norm works within one token."),
        ((x - x.mean()) / np.sqrt(x.var() + tiny), "One mean for all tokens: each has its own."),
        (centred / (variance + tiny), "Divided by the variance: its root is meant."),
        (
            centred / np.sqrt(x.var(1, ddof=1, keepdims=True) + tiny),
            "The variance is divided by D - 1 (ddof=1): here it is the plain mean of squares.",
        ),
        (
            centred / np.sqrt((x**2).mean(1, keepdims=True) + tiny),
            "The mean square of x, not of what is left after the mean.",
        ),
    ]
    message = "It differs from the loop over tokens."
    expect_close(layer_norm(x, ones, zeros, tiny), normed(x, eps=tiny), message, mistakes)


@check_layer_norm.stage("A large eps shows where it belongs; weight and bias come last")
def large_eps(layer_norm: Callable[..., Any], rng: Rng) -> None:
    x, weight, bias = rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=5)
    centred, variance = x - x.mean(1, keepdims=True), x.var(1, keepdims=True)
    outside = centred / (np.sqrt(variance) + 0.5)
    fixed = centred / np.sqrt(variance + 1e-5)
    right = centred / np.sqrt(variance + 0.5)
    mistakes = [
        (outside * weight + bias, "eps stands outside the root: it is added to the variance."),
        (fixed * weight + bias, "The eps that is given is not used."),
        ((right + bias) * weight, "The bias is scaled too: first times weight, then plus bias."),
    ]
    want = normed(x, weight, bias, 0.5)
    message = "Right for eps near 0, not for eps = 0.5."
    expect_close(layer_norm(x, weight, bias, 0.5), want, message, mistakes)


@check_layer_norm.stage("Axes in front", hint="Here x is (2, 3, 5): work along the last axis, -1.")
def axes_in_front(layer_norm: Callable[..., Any], rng: Rng) -> None:
    x, weight, bias = rng.normal(size=(2, 3, 5)), rng.normal(size=5), rng.normal(size=5)
    message = "Right for (T, D), not for (B, T, D): work along the last axis, -1."
    expect_close(layer_norm(x, weight, bias, 1e-5), normed(x, weight, bias), message)
