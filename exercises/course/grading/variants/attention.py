"""Page ``attention``."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minitx.checks.attention.prediction import keys_heard
from minitx.checks.expect import expect, expect_array

from . import Again, Rng, as_the_solution, sizes


def attention(rng: Rng) -> tuple[Any, ...]:
    B, T, S, d, e = sizes(rng, 5)
    return _loud(rng, B, T, d), rng.normal(size=(B, S, d)), rng.normal(size=(B, S, e))


def masks(rng: Rng) -> tuple[Any, ...]:
    B, T, d, e = sizes(rng, 4)
    k, v = (rng.normal(size=(B, T, width)) for width in (d, e))
    real = rng.random((B, T)) < 0.7
    return _loud(rng, B, T, d), k, v, real


def _loud(rng: Rng, *shape: int) -> np.ndarray:
    """Queries at random, some of which have scores in the thousands, or far more."""
    return rng.normal(size=shape) * 10.0 ** rng.integers(0, 6, (*shape[:-1], 1))


def heads(rng: Rng) -> tuple[Any, ...]:
    B, T, H, d = sizes(rng, 4)
    return (*(rng.normal(size=(B, T, H * d)) for _ in range(3)), H)


def previous_token(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any answer will do that looks one step back."""
    for T in sizes(rng, 3, 3, 60):
        got = answer(T)
        expect(isinstance(got, tuple | list) and len(got) == 2, "Return two arrays, q and k.")
        q, k = (expect_array(x) for x in got)
        expect(q.ndim == 2 and q.shape == k.shape and len(q) == T, f"Expected ({T}, d) twice.")
        scores = q @ k.T / np.sqrt(q.shape[1])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        back = weights[np.arange(1, T), np.arange(T - 1)]
        expect((back >= 0.99).all(), f"With T = {T} some query does not find the key before it.")


HAND = """\
Three tokens, $d = 4$, and no mask:

| token | query | key | value |
|---|---|---|---|
{}

Work out the weights (3 queries by 3 keys) and the outputs (3 tokens by 2 numbers) of attention,
with the scores divided by $\\sqrt d$. Write fractions, as in `1 / 7`, rather than rounded
numbers. Return the two tables, weights and outputs."""


def draw_hand(rng: Rng) -> tuple[Any, ...]:
    """Queries; keys, each a place and m, with 2 ln m there and zeros elsewhere; values."""
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1)]
    queries = [(*pairs[i], int(rng.integers(1, 6)), 0) for i in rng.permutation(8)[:3]]
    keys = [(0, 1), (0, int(rng.integers(2, 4))), (1, int(rng.integers(2, 4)))]
    values = rng.permutation(np.arange(1, 13))[:6].reshape(3, 2).tolist()
    return queries, [keys[i] for i in rng.permutation(3)], values


def hand_text(queries: Any, keys: Any, values: Any) -> str:
    rows = []
    for t, (place, m) in enumerate(keys):
        key = ["0"] * 4
        key[place] = f"2 ln {m}" if m > 1 else "0"
        rows.append(f"| {t} | {tuple(queries[t])} | ({', '.join(key)}) | {tuple(values[t])} |")
    return HAND.format("\n".join(rows))


def hand(queries: Any, keys: Any, values: Any) -> tuple[Any, Any]:
    parts = np.array([[float(m) ** query[place] for place, m in keys] for query in queries])
    weights = parts / parts.sum(axis=1, keepdims=True)
    return weights, weights @ np.array(values)


SCALE = """\
{}. There are {} keys.
Divide the scores $q \\cdot k$ by {}, and let the width $d$ grow without end. Over how many of the
keys does nearly every query then spread its weight?

- `"one"`: nearly all weight goes to one key.
- `"some"`: several keys share it, unequally, however large $d$ is.
- `"all"`: all keys get the same.

Return three words, for the three divisors in this order."""

PLAIN = "The numbers in queries and keys are independent, with mean 0 and variance 1"
EQUAL = (
    "Each query is one random number, repeated $d$ times, and so is each key; these are "
    "independent, with mean 0 and variance 1"
)
POWERS = ("1", "$d^{1/4}$", "$\\sqrt d$", "$d^{3/4}$", "$d$")
Change = Callable[[np.ndarray, float], np.ndarray]
CHANGES: list[tuple[str, Change, Change]] = [  # what is done to q and to k, of the width d
    (PLAIN, lambda q, d: q, lambda k, d: k),
    (PLAIN + "; then each key is divided by its length",
     lambda q, d: q, lambda k, d: k / d**0.5),
    (PLAIN + "; then all queries are multiplied by $d^{1/4}$",
     lambda q, d: q * d**0.25, lambda k, d: k),
    (PLAIN + "; then queries and keys are divided by $d^{1/4}$",
     lambda q, d: q / d**0.25, lambda k, d: k / d**0.25),
    (EQUAL, lambda q, d: np.tile(q[:, :1], int(d)), lambda k, d: np.tile(k[:, :1], int(d))),
    (PLAIN + "; then all numbers of a query are set to 0, but for the first $\\sqrt d$",
     lambda q, d: q * (np.arange(d) < d**0.5), lambda k, d: k),
    (PLAIN + ", and each is either $+1$ or $-1$",
     lambda q, d: np.sign(q), lambda k, d: np.sign(k)),
    (PLAIN + "; then 1 is added to every number", lambda q, d: q + 1, lambda k, d: k + 1),
]  # fmt: skip


def draw_scale(rng: Rng) -> tuple[Any, ...]:
    """Which change, how many keys, and three divisors, not all with the same answer."""
    change, keys, divisors = int(rng.integers(len(CHANGES))), int(rng.choice([16, 32, 48])), [0]
    while len(set(scale(change, keys, divisors))) < 2:
        divisors = [int(i) for i in rng.permutation(5)[:3]]
    return change, keys, divisors


def scale_text(change: int, keys: int, divisors: list[int]) -> str:
    *some, last = (POWERS[i] for i in divisors)
    return SCALE.format(CHANGES[change][0], keys, f"{', '.join(some)} or {last}")


def scale(change: int, keys: int, divisors: list[int]) -> list[str]:
    return [_words(change, keys)[i] for i in divisors]


@cache
def _words(change: int, keys: int, d: int = 2**14) -> list[str]:
    """What is measured for each of the divisors, at a width at which no word is in doubt."""
    rng = np.random.default_rng(0)
    q, k = (rng.standard_normal((rows, d), np.float32) for rows in (32, keys))
    scores = CHANGES[change][1](q, d) @ CHANGES[change][2](k, d).T
    words = []
    for divisor in (1, d**0.25, d**0.5, d**0.75, d):
        heard = np.median([keys_heard(row[None], np.eye(keys), divisor) for row in scores])
        words.append("one" if heard < keys / 5 else "all" if heard > 0.95 * keys else "some")
    return words


BOOK = (
    [(1, 0, 0, 0), (2, 0, 0, 0), (0, 0, 0, 0)],
    [(0, 1), (1, 3), (0, 2)],
    [(12, 0), (0, 24), (12, 0)],
)

VARIANTS = {
    "by_hand": Again(draw_hand, hand_text, hand, BOOK),
    "attention": as_the_solution(attention),
    "masks": as_the_solution(masks),
    "heads": as_the_solution(heads),
    "prediction": Again(draw_scale, scale_text, scale, (0, 32, [0, 2, 4])),
    "previous_token": previous_token,
}
