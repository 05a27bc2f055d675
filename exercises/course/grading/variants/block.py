"""Page ``block``."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minitx.checks.block.prediction import norm
from minitx.checks.expect import expect, same

from . import Again, Rng, as_the_solution, sizes


def layer_norm(rng: Rng) -> tuple[Any, ...]:
    B, T, D = sizes(rng, 3, 3)
    weight, bias = rng.normal(size=D), rng.normal(size=D)
    return 2 + 3 * rng.normal(size=(B, T, D)), weight, bias, float(rng.uniform(0.01, 1))


def pre_norm(rng: Rng) -> tuple[Any, ...]:
    T, D = sizes(rng, 2)
    mixing, up, shift = rng.normal(size=(T, T)), rng.normal(size=(D, D)), rng.normal(size=D)
    parts = (lambda x: mixing @ x, lambda x: np.tanh(x @ up), lambda x: x * shift + 1)
    return rng.normal(size=(T, D)), *parts


def product(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any weights will do that multiply, numbers of every size and sign."""
    x = rng.normal(size=(20, 2)) * rng.uniform(1, 99, (20, 1))
    got = answer()
    expect(isinstance(got, tuple | list) and len(got) == 2, "Return two arrays, up and down.")
    up, down = (np.asarray(w, float) for w in got)
    expect(up.ndim == 2 and up.shape == (2, down.size), "Expected up (2, F) and down (F,).")
    said = np.maximum(x @ up, 0) ** 2 @ down
    expect(same(said, x.prod(axis=1)), "Some product is wrong of the numbers of this term.")


HAND = """\
One token, $x = ({}, {})$, and a sublayer $f(u) = {}u$. The norm takes off the mean and divides by
the root of the mean square of what is left (no weight, no bias, no $\\epsilon$). With a pencil:
what are pre-norm $x + f(\\operatorname{{norm}}(x))$, post-norm $\\operatorname{{norm}}(x + f(x))$
and output norm $x + \\operatorname{{norm}}(f(x))$?

Return three pairs of numbers, in this order."""


def draw_hand(rng: Rng) -> tuple[Any, ...]:
    """A token, whose numbers are not the same, and a factor of either sign."""
    middle, half = int(rng.integers(-4, 7)), int(rng.choice([-5, -4, -3, -2, 2, 3, 4, 5]))
    return middle - half, middle + half, int(rng.choice([-5, -4, -3, -2, 2, 3, 4, 5]))


def hand(a: int, b: int, factor: int) -> list[np.ndarray]:
    x = np.array([a, b], dtype=float)
    pre, post = x + factor * norm(x), norm(x + factor * x)
    return [pair.round(9) for pair in (pre, post, x + norm(factor * x))]


GROWTH = """\
Let every sublayer $f$ be a random matrix that keeps the length of what it hears, on average, and
let there be more and more of them. How does the length of the stream grow with the depth: is it
`"constant"`, does it grow like the `"root"` of the depth, or is growth `"exponential"`? The
stream $x$ becomes, in every layer,

{}

Return three words."""

Layer = Callable[[np.ndarray, Callable[[np.ndarray], np.ndarray]], np.ndarray]
LAYERS: list[tuple[str, Layer]] = [  # the first three are the book's
    ("x + f(norm(x))", lambda x, f: x + f(norm(x))),
    ("norm(x + f(x))", lambda x, f: norm(x + f(x))),
    ("x + f(x)", lambda x, f: x + f(x)),
    ("x + norm(f(x))", lambda x, f: x + norm(f(x))),
    ("x + norm(f(norm(x)))", lambda x, f: x + norm(f(norm(x)))),
    ("norm(x) + f(norm(x))", lambda x, f: norm(x) + f(norm(x))),
    ("norm(x) + f(x)", lambda x, f: norm(x) + f(x)),
    ("(x + f(x)) / √2", lambda x, f: (x + f(x)) / 2**0.5),
    ("x + 3 f(norm(x))", lambda x, f: x + 3 * f(norm(x))),
    ("x + f(x) / 2", lambda x, f: x + f(x) / 2),
    ("norm(x) + 2 f(x)", lambda x, f: norm(x) + 2 * f(x)),
    ("norm(x + f(norm(x)))", lambda x, f: norm(x + f(norm(x)))),
]


def draw_growth(rng: Rng) -> tuple[Any, ...]:
    """Three layers, not all with the same answer."""
    chosen = [0]
    while len(set(growth(*chosen))) < 2:
        chosen = [int(i) for i in rng.permutation(len(LAYERS))[:3]]
    return tuple(chosen)


def growth_text(*chosen: int) -> str:
    listed = "\n".join(f"{n}. `{LAYERS[i][0]}`" for n, i in enumerate(chosen, start=1))
    return GROWTH.format(listed)


def growth(*chosen: int) -> list[str]:
    return [_word(i) for i in chosen]


@cache
def _word(i: int, d: int = 128) -> str:
    """As the check measures: how much longer the stream is after 64 layers than after 16."""
    rng = np.random.default_rng(0)
    x, lengths = norm(rng.normal(size=(16, d))), []
    for matrix in rng.normal(size=(64, d, d)) / d**0.5:
        x = LAYERS[i][1](x, lambda u, matrix=matrix: u @ matrix)
        lengths.append(np.sqrt((x**2).mean()))
    factor = lengths[63] / lengths[15]
    return "constant" if factor < 1.2 else "root" if factor < 4 else "exponential"


VARIANTS = {
    "by_hand": Again(draw_hand, HAND.format, hand, (1, 5, 2)),
    "layer_norm": as_the_solution(layer_norm),
    "pre_norm": as_the_solution(pre_norm),
    "prediction": Again(draw_growth, growth_text, growth, (0, 1, 2)),
    "product": product,
}
