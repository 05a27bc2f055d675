"""The oracle of this chapter's checks: byte pair encoding on strings, as its definition says."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np

from minitx.checks.expect import describe, expect

Rng = np.random.Generator
Pair = tuple[str, str]


def join(tokens: list[str], pair: Pair) -> list[str]:
    """``tokens`` with each ``pair`` of neighbours made one, from the left."""
    out: list[str] = []
    i = 0
    while i < len(tokens):
        both = tuple(tokens[i : i + 2]) == pair
        out.append("".join(pair) if both else tokens[i])
        i += 2 if both else 1
    return out


def learn(words: dict[str, int], count: int) -> list[Pair]:
    """The first ``count`` merges; of equally frequent pairs the first in the alphabet."""
    cut = {word: list(word) for word in words}
    merges: list[Pair] = []
    while len(merges) < count:
        pairs: Counter[Pair] = Counter()
        for word, tokens in cut.items():
            for pair in pairwise(tokens):
                pairs[pair] += words[word]
        if not pairs:
            break
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        cut = {word: join(tokens, merges[-1]) for word, tokens in cut.items()}
    return merges


def encode(word: str, merges: list[Pair]) -> list[str]:
    """The merges one after the other, the earliest-learned first."""
    tokens = list(word)
    for pair in merges:
        tokens = join(tokens, pair)
    return tokens


def longest_first(word: str, vocabulary: set[str]) -> list[str]:
    """From the left, always the longest token that fits."""
    out = []
    while word:
        size = next(n for n in range(len(word), 0, -1) if n == 1 or word[:n] in vocabulary)
        out.append(word[:size])
        word = word[size:]
    return out


def language(rng: Rng, words: int = 40, syllables: int = 12) -> tuple[list[str], np.ndarray]:
    """Invented words of one to four syllables, and how likely each is: a few are frequent."""
    kinds = ("bdklmnrst", "aeiou", ("", "", "n", "r", "s"))
    parts = ["".join(rng.choice(list(kind)) for kind in kinds) for _ in range(syllables)]
    made: dict[str, None] = {}  # each once, in order
    while len(made) < words:
        made["".join(rng.choice(parts, rng.integers(1, 5)))] = None
    chances = 1.0 / np.arange(1, words + 1)
    return list(made), chances / chances.sum()


def expect_tokens(got: Any, what: str = "your function") -> list[str]:
    """``got`` as a list of strings."""
    listed = isinstance(got, list | tuple)
    expect(listed, f"{what} should return a list of strings, and returned {describe(got)}.")
    for item in got:
        found = f"and one item is {describe(item)}."
        expect(isinstance(item, str), f"{what} should return a list of strings, {found}")
    return list(got)
