"""Page ``linear``."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array
from minitx.checks.linear.by_hand import FEATURES_K, FEATURES_Q, VALUES
from minitx.checks.linear.oracle import weighed
from minitx.checks.linear.prediction import WORDS, noise

from . import Again, Rng, as_the_solution, sizes


def whole(rng: Rng) -> tuple[Any, ...]:
    T, S, m, e = sizes(rng, 4)
    return rng.uniform(0.1, 2, (T, m)), rng.uniform(0.1, 2, (S, m)), rng.normal(size=(S, e))


def chunks(rng: Rng) -> tuple[Any, ...]:
    """Three whole chunks at least, and one that is short."""
    m, e, chunk, count = sizes(rng, 4, 3, 9)
    T = chunk * count + int(rng.integers(1, chunk))
    return *rng.normal(size=(2, T, m)), rng.normal(size=(T, e)), chunk


def gradients(rng: Rng) -> tuple[Any, ...]:
    T, m, e = sizes(rng, 3)
    return *rng.normal(size=(2, T, m)), *rng.normal(size=(2, T, e))


def _plane(rng: Rng, count: int) -> np.ndarray:
    """Points at most 1 from the origin, (count, 2)."""
    angle, length = rng.uniform(0, 2 * np.pi, count), rng.choice([1.0, 0.7, 0.3], count)
    return length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def features(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any features will do that are few, and near enough to the exponential."""
    for T in sizes(rng, 3, 20, 90):
        q, k = _plane(rng, T), _plane(rng, 8)
        asked, stored = expect_array(answer(q.copy())), expect_array(answer(k.copy()))
        few = asked.ndim == stored.ndim == 2 and asked.shape[1] == stored.shape[1] <= 64
        expect(few and len(asked) == T, f"Expected ({T}, m) with m at most 64.")
        products, wanted = asked @ stored.T, np.exp(q @ k.T)
        expect((products > 0).all(), "Some product of features is not above 0.")
        found = products / products.sum(axis=1, keepdims=True)
        gap = np.abs(found - wanted / wanted.sum(axis=1, keepdims=True)).max()
        expect(gap <= 0.01, f"For {T} queries and 8 keys a weight is {gap:.3f} off.")


STATE = """Take a pencil. Three tokens, features of width 2, each hears itself and what came before:

| token | features of the query | of the key | value |
|---|---|---|---|
{}

The state is $S = \\sum_j k_j v_j^\\top$, the sum of the keys is $z = \\sum_j k_j$, and token $t$
gets the output $(S_t^\\top q_t) / (z_t \\cdot q_t)$, with both as they were after token $t$.

Return three things: $S$ (2 by 2) and $z$ (2 numbers) after all three tokens, and the outputs
(3 by 2). Write fractions as `11 / 4`."""

Table = list[list[int]]


def draw_state(rng: Rng) -> tuple[Table, Table, Table]:
    """Small whole numbers, no divisor above 12, and a state that is not its own transpose."""
    while True:
        q, k, v = (rng.integers(least, most, (3, 2)) for least, most in ((1, 4), (0, 5), (0, 10)))
        divisors = (np.cumsum(k, axis=0) * q).sum(axis=1)
        plain = k.any(axis=1).all() and divisors.max() <= 12
        if plain and (k.T @ v)[0, 1] != (k.T @ v)[1, 0] and len(np.unique(v, axis=0)) == 3:
            return q.tolist(), k.tolist(), v.tolist()


def state_text(q: Table, k: Table, v: Table) -> str:
    rows = enumerate(zip(q, k, v), start=1)
    pairs = [[t, *(f"({a}, {b})" for a, b in row)] for t, row in rows]
    return STATE.format("\n".join("| {} | {} | {} | {} |".format(*row) for row in pairs))


def state(q: Table, k: Table, v: Table) -> tuple[Any, ...]:
    queries, keys, values = np.array(q), np.array(k), np.array(v)
    outputs = weighed(queries, keys, values, causal=True, divide=True)
    return keys.T @ values, keys.sum(axis=0), outputs


NOISE = r"""
Again $n$ pairs of a random key and a random value, all of length 1, are stored in one matrix,
$S = \sum_j k_j v_j^\top$, and key $i$ is answered by $S^\top k_i = v_i + \text{{noise}}$. What
becomes of the mean of $|\text{{noise}}|^2$, its squared length, with

{}

There are many more pairs than one. Return three words, `"doubles"`, `"stays"` or `"halves"` for
each."""

PARTS = ("{} as many pairs", "keys {} as wide", "values {} as wide")
TIMES = {2: "twice", 0.5: "half"}
# Two or three changes at once, which make the noise twice or half as large, or leave it
CHANGES = [
    (n, m, e)
    for n, m, e in product((0.5, 1, 2), repeat=3)
    if n / m in (0.5, 1, 2) and (n, m, e).count(1) < 2
]


def draw_noise(rng: Rng) -> tuple[Any, ...]:
    """Three changes that do not all have the same word."""
    chosen: list[Any] = []
    while len({n / m for n, m, _ in chosen}) < 2:
        chosen = [CHANGES[i] for i in rng.permutation(len(CHANGES))[:3]]
    return tuple(chosen)


def noise_text(*changes: Sequence[float]) -> str:
    told = [
        ", ".join(part.format(TIMES[by]) for part, by in zip(PARTS, change) if by != 1)
        for change in changes
    ]
    return NOISE.format("\n".join(f"{i}. {each}" for i, each in enumerate(told, start=1)))


def noises(*changes: Sequence[float]) -> list[str]:
    """Measured, as the check measures."""
    first = noise(200, 50, 40, np.random.default_rng(0))
    found = []
    for n, m, e in changes:
        sizes = int(200 * n), int(50 * m), int(40 * e)
        ratio = noise(*sizes, np.random.default_rng(1)) / first
        found.append(WORDS[int(np.argmin([abs(np.log(ratio / r)) for r in (2, 1, 0.5)]))])
    return found


BOOK = [table.astype(int).tolist() for table in (FEATURES_Q, FEATURES_K, VALUES)]
VARIANTS = {
    "by_hand": Again(draw_state, state_text, state, tuple(BOOK)),
    "whole": as_the_solution(whole),
    "chunks": as_the_solution(chunks),
    "gradients": as_the_solution(gradients),
    "prediction": Again(draw_noise, noise_text, noises, ((2, 1, 1), (1, 2, 1), (1, 1, 2))),
    "features": features,
}
