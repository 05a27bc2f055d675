"""Page ``delta``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitx.checks.delta.by_hand import KEYS, VALUES
from minitx.checks.delta.oracle import answers, states
from minitx.checks.delta.prediction import STEPS
from minitx.checks.expect import expect, expect_array

from . import Again, Rng, as_the_solution, sizes


def _keys(rng: Rng, count: int, width: int) -> np.ndarray:
    """Keys of different lengths, none so long that a state grows without end."""
    k = rng.normal(size=(count, width))
    return k * rng.uniform(0.5, 1.4, (count, 1)) / np.linalg.norm(k, axis=1, keepdims=True)


def rule(rng: Rng) -> tuple[Any, ...]:
    T, m, e = sizes(rng, 3)
    return rng.normal(size=(T, m)), _keys(rng, T, m), rng.normal(size=(T, e)), rng.random(T)


def written(rng: Rng) -> tuple[Any, ...]:
    C, m, e = sizes(rng, 3, 3)
    return _keys(rng, C, m), rng.normal(size=(C, e)), rng.random(C), rng.normal(size=(m, e))


def _program(answer: Callable[..., Any], bits: np.ndarray) -> list[np.ndarray]:
    got, T = answer(bits.copy()), len(bits)
    expect(isinstance(got, tuple | list) and len(got) == 4, "Return four arrays: q, k, v, beta.")
    q, k, v, beta = (expect_array(part) for part in got)
    fits = q.ndim == 2 and q.shape == k.shape and len(q) == T
    fits = fits and v.shape == (T, 1) and beta.shape == (T,)
    expect(fits, f"With {T} bits: q and k should be ({T}, m), v ({T}, 1), beta ({T},).")
    steps = beta * (k**2).sum(axis=1)
    expect(((steps >= 0) & (steps <= 2 + 1e-9)).all(), "Keep beta |k|^2 between 0 and 2.")
    return [q, k, v, beta]


def parity(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any program will do that has the memory count."""
    for T in sizes(rng, 3, 4, 60):
        bits = rng.integers(2, size=T)
        other, place = bits.copy(), int(rng.integers(T))
        other[place] = 1 - bits[place]
        made = _program(answer, bits)
        for part, changed in zip(made, _program(answer, other)):
            same = np.allclose(np.delete(part, place, 0), np.delete(changed, place, 0))
            expect(same, "The numbers of a token change with the bit of another.")
        said, right = answers(*made)[:, 0], np.where(np.cumsum(bits) % 2, -1, 1)
        expect((np.abs(said - right) < 1e-6).all(), f"With {T} bits some answer is not right.")


MEMORIES = r"""
Take a pencil. Values are single numbers, so that a state is two numbers:

| token | key | value |
|---|---|---|
{}

What is the state after these three tokens of a **sum**, $S + k v$; of a memory that **fades**,
$\frac12 S + k v$; and of the **delta rule** with $\beta = 1$? Then a fourth token comes to the
delta rule, with the key $({})$, the value {:g} and $\beta = {}$.

Return four states of two numbers: sum, fading and delta rule after token 3; delta rule after 4."""

Keys = Sequence[Sequence[float]]
FRACTIONS = {0.6: r"\frac35", 0.8: r"\frac45", 0.25: r"\frac14", 0.5: r"\frac12"}


def draw_memories(rng: Rng) -> tuple[Any, ...]:
    """Two keys, of which one comes again; token 4 finds 4 or 8 missing, or too much."""
    one, other = rng.permutation(np.eye(2))
    keys = [one, other, (one, other)[rng.integers(2)], rng.permutation([0.6, 0.8])]
    values = rng.choice([2, 4, 6, 8, 10, 12], 3, replace=False)
    last = states(np.array(keys[:3]), values[:, None], np.ones(3), np.zeros((2, 1)))[-1]
    fourth = round(float(keys[3] @ last[:, 0]) + float(rng.choice([-8, -4, 4, 8])), 1)
    told = [key.tolist() for key in keys]
    return told, [*map(float, values), fourth], float(rng.choice([0.25, 0.5]))


def memories_text(keys: Keys, values: Sequence[float], beta: float) -> str:
    rows = [
        f"| {t} | ({a:g}, {b:g}) | {v:g} |"
        for t, ((a, b), v) in enumerate(zip(keys[:3], values), start=1)
    ]
    fourth = ", ".join(FRACTIONS[part] for part in keys[3])
    return MEMORIES.format("\n".join(rows), fourth, values[3], FRACTIONS[beta])


def memories(keys: Keys, values: Sequence[float], beta: float) -> tuple[Any, ...]:
    k, v = np.array(keys), np.array(values)[:, None]
    faded = np.zeros(2)
    for key, value in zip(k[:3], v[:3]):
        faded = faded / 2 + key * value
    *_, third, fourth = states(k, v, np.array([1, 1, 1, beta]), np.zeros((2, 1)))
    found = (k[:3].T @ v[:3])[:, 0], faded, third[:, 0], fourth[:, 0]
    return tuple(state.round(9) for state in found)


LENGTH = r"""
One and the same pair of a key and a value is written again and again, but now the key is not a
unit vector: $|k| = {:g}$. What becomes of the error $|S^\top k - v|$ with a $\beta$ of {}?

Return four words, one for each: whether the error is `"gone"` at once, `"shrinks"` with every
write, `"stays"` or `"grows"`."""

# beta |k|^2
PRODUCTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 4.0)


def draw_length(rng: Rng) -> tuple[Any, ...]:
    """A length, and four steps that need three words at least."""
    length, betas = float(rng.choice([0.5, 2])), [0.0]
    while len(set(betas)) < 4 or len(set(left(length, betas))) < 3:
        betas = [float(n) / length**2 for n in rng.choice(PRODUCTS, 4, replace=False)]
    return length, betas


def length_text(length: float, betas: Sequence[float]) -> str:
    *others, last = (f"{beta:g}" for beta in betas)
    return LENGTH.format(length, f"{', '.join(others)} and {last}")


def left(length: float, betas: Sequence[float]) -> list[str]:
    return [_word(length, beta) for beta in betas]


def _word(length: float, beta: float) -> str:
    """By writing a value of 1 three times into an empty memory of one number."""
    k, v = np.full((3, 1), length), np.ones((3, 1))
    first, *_, last = (abs(1 - length * s[0, 0]) for s in states(k, v, np.full(3, beta), 0 * v[:1]))
    if first < 1e-9:
        return "gone"
    return "stays" if abs(last - first) < 1e-9 else "shrinks" if last < first else "grows"


BOOK = KEYS.tolist(), VALUES[:, 0].tolist(), 0.5
VARIANTS = {
    "by_hand": Again(draw_memories, memories_text, memories, BOOK),
    "rule": as_the_solution(rule),
    "written": as_the_solution(written),
    "prediction": Again(draw_length, length_text, left, (1.0, STEPS)),
    "parity": parity,
}
