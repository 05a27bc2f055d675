"""Page ``positions``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array, same

from . import Again, Rng, as_the_solution, sizes


def rotary(rng: Rng) -> tuple[Any, ...]:
    B, T, half = sizes(rng, 3)
    return rng.normal(size=(B, T, 2 * half)), rng.uniform(-99, 999, T)


def distances(rng: Rng) -> tuple[Any, ...]:
    T, (d, reach) = int(rng.integers(12, 20)), sizes(rng, 2)  # T is more than any reach
    return rng.normal(size=(T, d)), rng.normal(size=(2 * reach + 1, d)), reach


def multiplier(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any factors will do that give the target."""
    for T in sizes(rng, 3, 2, 30):
        target = rng.normal(size=T)
        factors = expect_array(answer(target.copy()), (2 * T - 1,))
        places = np.arange(T)
        made = factors[places - places[:, None] + T - 1].sum(axis=1) / T
        expect(same(made, target), f"With T = {T} the outputs are not the target.")


HAND = """\
Three tokens under a causal mask. By content, every query gives the keys 0, 1 and 2 the scores {}.
ALiBi with the slope $\\ln {}$ takes $\\ln {}$ off a score for each step between query and key.
The values are {}, {} and {}.

Work out the weights (3 queries by 3 keys) and the three outputs. Write fractions, as in `1 / 7`,
rather than rounded numbers. Return weights and outputs."""


def draw_hand(rng: Rng) -> tuple[Any, ...]:
    """The slope is ln m, the scores are logarithms of powers of m; values."""
    m = int(rng.integers(2, 5))
    powers = rng.permutation([0, 0, 1, 1, 2, 2])[:3]
    return m, [m ** int(n) for n in powers], rng.permutation(np.arange(1, 60))[:3].tolist()


def hand_text(m: int, content: list[int], values: list[int]) -> str:
    scores = [f"$\\ln {c}$" if c > 1 else "0" for c in content]
    return HAND.format(f"{scores[0]}, {scores[1]} and {scores[2]}", m, m, *values)


def hand(m: int, content: list[int], values: list[int]) -> tuple[Any, Any]:
    places = np.arange(3)
    parts = np.tril(np.array(content) * float(m) ** (places - places[:, None]))
    weights = parts / parts.sum(axis=1, keepdims=True)
    return weights, weights @ values


EQUAL = """\
{} **equal** tokens go through one layer of attention with random weights. Are their outputs the
`"same"`, or `"different"`? There are five such layers:

{}

Return five words."""


class Layer:
    """T equal tokens x, the maps of a layer, and numbers at random for places and distances."""

    def __init__(self, T: int, d: int = 4):
        self.rng, self.T = np.random.default_rng(0), T
        self.x = np.repeat(self.rng.normal(size=(1, d)), T, axis=0)
        self.maps = self.rng.normal(size=(3, d, d)) / d**0.5
        self.step = np.arange(T) - np.arange(T)[:, None]  # key minus query
        self.angle = np.arange(T)[:, None] * np.array([1.0, 0.1])
        self.waves = np.concatenate([np.sin(self.angle), np.cos(self.angle)], axis=1)
        self.alibi = -0.5 * abs(self.step)

    def parts(self, x: Any = None) -> np.ndarray:
        """Queries, keys and values of x."""
        return (self.x if x is None else x) @ self.maps

    def weights(self, q: Any = None, k: Any = None, add: Any = 0.0, allowed: Any = True) -> Any:
        """The softmax of the scores, to which ``add`` is added, over the keys that are allowed."""
        q = self.parts()[0] if q is None else q
        k = self.parts()[1] if k is None else k
        parts = np.where(allowed, np.exp(q @ k.T / 2 + add), 0)
        return parts / parts.sum(axis=1, keepdims=True)

    def turned(self, y: np.ndarray) -> np.ndarray:
        (a, b), cos, sin = np.split(y, 2, axis=1), np.cos(self.angle), np.sin(self.angle)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

    def beside(self, *width: int) -> np.ndarray:
        """Something for each distance, (T, T, ...)."""
        return self.rng.normal(size=(2 * self.T - 1, *width))[self.step + self.T - 1]

    def shaw_keys(self) -> np.ndarray:
        return self.weights(add=self.beside(4) @ self.parts()[0][0] / 2)

    def shaw_values(self, weights: np.ndarray) -> np.ndarray:
        return self.hears(weights) + (weights[:, :, None] * self.beside(4)).sum(axis=1)

    def hears(self, weights: np.ndarray, v: Any = None) -> np.ndarray:
        return weights @ (self.parts()[2] if v is None else v)


def _spoken(it: Layer, moved: np.ndarray) -> np.ndarray:
    q, k, v = it.parts(moved)
    return it.hears(it.weights(q, k), v)


def _rotary(it: Layer, allowed: Any = True, values: bool = False) -> np.ndarray:
    q, k, v = it.parts()
    weights = it.weights(it.turned(q), it.turned(k), allowed=allowed)
    return it.hears(weights, it.turned(v) if values else v)


def _factors(it: Layer, again: bool) -> np.ndarray:
    weights = it.weights(add=it.alibi) * abs(it.beside())
    return it.hears(weights / (weights.sum(axis=1, keepdims=True) if again else 1))


LAYERS: list[tuple[str, Callable[[Layer], np.ndarray]]] = [  # the first five are the book's
    ("sinusoids are added to the tokens at the input", lambda it: _spoken(it, it.x + it.waves)),
    ("rotary positions, and every token hears every other", lambda it: _rotary(it)),
    ("ALiBi under a causal mask",
     lambda it: it.hears(it.weights(add=it.alibi, allowed=it.step <= 0))),
    ("Shaw: a vector for each distance beside the key, and another one beside the value",
     lambda it: it.shaw_values(it.shaw_keys())),
    ("ALiBi, and then the weights are multiplied by a random factor for each distance (URPE)",
     lambda it: _factors(it, again=False)),
    ("rotary positions under a causal mask", lambda it: _rotary(it, it.step <= 0)),
    ("rotary positions, but values are turned as well as queries and keys",
     lambda it: _rotary(it, values=True)),
    ("ALiBi, and every token hears every other", lambda it: it.hears(it.weights(add=it.alibi))),
    ("Shaw: a vector for each distance beside the key alone",
     lambda it: it.hears(it.shaw_keys())),
    ("Shaw: a vector for each distance beside the value alone",
     lambda it: it.shaw_values(it.weights())),
    ("a random number for each distance is added to the scores",
     lambda it: it.hears(it.weights(add=it.beside()))),
    ("ALiBi, then the weights are multiplied by a random factor for each distance, and divided by "
     "their sum again", lambda it: _factors(it, again=True)),
    ("no positions, and each token hears only itself and the two before it",
     lambda it: it.hears(it.weights(allowed=(it.step <= 0) & (it.step > -3)))),
    ("no positions and no softmax: under a causal mask, each value that is heard has the weight "
     "1/{}, one over the number of **all** tokens", lambda it: it.hears((it.step <= 0) / it.T)),
    ("sinusoids are added to queries and keys, and not to values",
     lambda it: it.hears(it.weights(it.parts()[0] + it.waves, it.parts()[1] + it.waves))),
    ("sinusoids are added to values, and every token hears itself and what came before",
     lambda it: it.hears(it.weights(allowed=it.step <= 0), it.parts()[2] + it.waves)),
]  # fmt: skip


def draw_equal(rng: Rng) -> tuple[Any, ...]:
    """How many tokens; five layers, not all with the same answer."""
    T, chosen = int(rng.integers(7, 17)), [0] * 5
    while len(set(equal(T, chosen))) < 2:
        chosen = [int(i) for i in rng.permutation(len(LAYERS))[:5]]
    return T, chosen


def equal_text(T: int, chosen: list[int]) -> str:
    listed = "\n".join(f"{n}. {LAYERS[i][0].format(T)}" for n, i in enumerate(chosen, start=1))
    return EQUAL.format(T, listed)


def equal(T: int, chosen: list[int]) -> list[str]:
    outputs = [LAYERS[i][1](Layer(T)) for i in chosen]
    return ["same" if abs(y - y[0]).max() < 1e-9 else "different" for y in outputs]


VARIANTS = {
    "by_hand": Again(draw_hand, hand_text, hand, (3, [9, 1, 1], [28, 0, 56])),
    "rotary": as_the_solution(rotary),
    "distances": as_the_solution(distances),
    "prediction": Again(draw_equal, equal_text, equal, (12, [0, 1, 2, 3, 4])),
    "multiplier": multiplier,
}
