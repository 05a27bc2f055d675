"""One step of a causal layer from what earlier steps left."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect, expect_array, expect_close

Rng = np.random.Generator

check_step = Exercise(
    name="decoder/step",
    title="One step, from a cache",
    call="step(x, state, P, W_q, W_k, W_v)",
    kind="implement",
    difficulty=2,
    minutes=30,
    insight="Keys and values of the past never change, so one row a token is all that is new.",
)
_START = "At the first token state is None."


def attend(q: np.ndarray, keys: list, values: list, scale: bool = True) -> np.ndarray:
    """The mean of ``values`` that one query takes, one key at a time."""
    root = math.sqrt(len(q)) if scale else 1.0
    scores = [float(np.dot(q, k)) / root for k in keys]
    parts = [math.exp(score - max(scores)) for score in scores]
    return sum(part * v for part, v in zip(parts, values)) / sum(parts)


class _Layer:
    """Weights, and the answer of the last token after all that came before it."""

    def __init__(self, rng: Rng, length: int = 9, width: int = 5):
        self.P = rng.normal(size=(length, width))
        self.W = tuple(rng.normal(size=(width, width)) / width**0.5 for _ in range(3))
        self.width = width

    def last(self, x: np.ndarray, places: Any = None, own: bool = True, **how: Any) -> np.ndarray:
        z = x + self.P[list(range(len(x)) if places is None else places)]
        q, k, v = (z @ W for W in self.W)
        heard = len(x) if own else len(x) - 1
        return attend(q[-1], list(k[:heard]), list(v[:heard]), **how)

    def mistakes(self, x: np.ndarray) -> list[tuple[np.ndarray, str]]:
        T, still = len(x), np.zeros((len(x), self.width))
        q, k, v = (x @ W for W in self.W)
        own = self.last(x[-1:], [T - 1])
        return [
            (
                self.last(x, [0] * T),
                "Every token was given position 0: with one token at a time, its position is how "
                "many came before it, which only the state knows.",
            ),
            (attend(q[-1], list(k), list(v)), "The position was not added: z = x + P[t]."),
            (own, "It hears only itself: the keys and values of the past belong in the state."),
            (self.last(x, own=False) if T > 1 else still, "A token may hear itself: add its own "
             "key and value before it attends."),
            (self.last(x, scale=False), "The scores were not divided by √d."),
            (self.last(x, range(1, T + 1)), "Positions are counted from 0: the first gets P[0]."),
        ]  # fmt: skip


def _stepped(step: Callable[..., Any], layer: _Layer, x: np.ndarray, state: Any = None) -> Any:
    """The answer to the last of the tokens x, and the state after it."""
    y = None
    for token in x:
        got = step(token.copy(), state, layer.P, *layer.W)
        expect(
            isinstance(got, tuple | list) and len(got) == 2,
            "Your function should return the answer and the new state, `return y, state`; it "
            f"returned {describe(got)}.",
        )
        y, state = got
    return expect_array(y, (layer.width,), what="the answer"), state


@check_step.stage("The first token hears itself", hint=_START)
def first(step: Callable[..., Any], rng: Rng) -> None:
    layer, x = _Layer(rng), rng.normal(size=(1, 5))
    want = (x[0] + layer.P[0]) @ layer.W[2]
    got, _ = _stepped(step, layer, x)
    mistakes = [
        (x[0] @ layer.W[2], "The position was not added: z = x + P[t]."),
        ((x[0] + layer.P[1]) @ layer.W[2], "Positions are counted from 0: the first gets P[0]."),
    ]
    expect_close(got, want, "Alone, its answer is its own value.", mistakes)


@check_step.stage("Step by step equals all at once", points=2, hint=_START)
def all_at_once(step: Callable[..., Any], rng: Rng) -> None:
    layer, x = _Layer(rng), rng.normal(size=(7, 5))
    for T in (2, 7):
        got, _ = _stepped(step, layer, x[:T])
        what = f"After {T} tokens it differs from causal attention over all of them."
        expect_close(got, layer.last(x[:T]), what, layer.mistakes(x[:T]))


@check_step.stage("Two ways to go on from one state", points=2)
def two_ways(step: Callable[..., Any], rng: Rng) -> None:
    layer, x = _Layer(rng), rng.normal(size=(5, 5))
    _, state = _stepped(step, layer, x[:3])
    for i, token in enumerate((x[3], x[4])):
        got, _ = _stepped(step, layer, token[None], state)
        want = layer.last(np.concatenate([x[:3], token[None]]))
        expect_close(
            got,
            want,
            "The first way to go on is wrong."
            if i == 0
            else "The first way to go on is right, the second is not: your step changed the old "
            "state (list.append and += do). Make a new one: a beam or a refused guess goes back.",
        )


@check_step.stage("Keys of the past are kept, not computed again")
def kept(step: Callable[..., Any], rng: Rng) -> None:
    layer, x = _Layer(rng), rng.normal(size=(4, 5))
    _, state = _stepped(step, layer, x[:3])
    z = x + layer.P[:4]
    k, v = (z @ W for W in layer.W[1:])
    layer.W = tuple(0.3 * rng.normal(size=(5, 5)) for _ in range(3))  # weights near even
    got, _ = _stepped(step, layer, x[3:], state)
    again = layer.last(x)
    keys, values = [*k[:3], z[3] @ layer.W[1]], [*v[:3], z[3] @ layer.W[2]]
    expect_close(
        got,
        attend(z[3] @ layer.W[0], keys, values),
        "With other matrices from the fourth token on, the first three keys must be the old ones.",
        [
            (
                again,
                "It is right, but it works through all tokens again at every step: keep keys and "
                "values in the state, not tokens.",
            )
        ],
    )
