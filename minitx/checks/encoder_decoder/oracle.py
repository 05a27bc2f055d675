"""The oracles of this chapter's checks: cross-attention as a loop, and searches over trees.

A tree is a function ``log_probs(text)`` from a list of ids to the log probability of each next id.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import attend

Rng = np.random.Generator
Tree = Callable[[list[int]], np.ndarray]


def cross(h: Any, m: Any, w_q: Any, w_k: Any, w_v: Any, valid: Any) -> np.ndarray:
    """h (B, T, D) hears m (B, S, E) where valid (B, S), one pair of tokens at a time."""
    return attend(h @ w_q, m @ w_k, m @ w_v, allowed=valid[:, None, :])


def random_tree(rng: Rng, words: int, limit: int) -> Tree:
    """Chances drawn at random for every beginning of less than ``limit`` words."""
    tables = {
        text: np.log(rng.dirichlet(np.full(words, 0.7)))
        for n in range(limit)
        for text in product(range(words), repeat=n)
    }
    return lambda text: tables[tuple(int(word) for word in text)].copy()


def fixed_tree(first: Any, second: Any) -> Tree:
    """Two steps of given probabilities, first (n,) and second (n, m)."""
    with np.errstate(divide="ignore"):
        one, two = np.log(np.asarray(first, float)), np.log(np.asarray(second, float))
    return lambda text: two[text[0]] if text else one


def texts(log_probs: Tree, end: int | None, limit: int) -> dict[tuple[int, ...], float]:
    """Every text that ends, or is cut after ``limit`` words, with its log probability."""
    found, alive = {}, {(): 0.0}
    for _ in range(limit):
        longer = {
            (*text, word): total + float(one)
            for text, total in alive.items()
            for word, one in enumerate(log_probs(list(text)))
        }
        found |= {text: score for text, score in longer.items() if text[-1] == end}
        alive = {text: score for text, score in longer.items() if text[-1] != end}
    return found | alive


def beam(log_probs: Tree, width: int, end: int | None, limit: int) -> dict[tuple, float]:
    """What a beam of ``width`` finishes, with log probabilities."""
    alive, finished = {(): 0.0}, {}
    for _ in range(limit):
        longer = {
            (*text, word): total + float(one)
            for text, total in alive.items()
            for word, one in enumerate(log_probs(list(text)))
        }
        kept = sorted(longer, key=lambda text: -longer[text])[:width]
        finished |= {text: longer[text] for text in kept if text[-1] == end}
        alive = {text: longer[text] for text in kept if text[-1] != end}
    return finished | alive


def best(found: dict[tuple, float]) -> tuple[list[int], float]:
    """The most probable of the texts, and its log probability."""
    text = max(found, key=lambda text: found[text])
    return list(text), found[text]
