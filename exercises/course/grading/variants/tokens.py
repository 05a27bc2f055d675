"""Page ``tokens``."""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from minitx.checks.expect import expect
from minitx.checks.tokens.by_hand import NEW, WORDS
from minitx.checks.tokens.oracle import encode as cut
from minitx.checks.tokens.oracle import expect_tokens, join, language, learn
from minitx.checks.tokens.pieces import fewest
from minitx.checks.tokens.prediction import CASES

from . import Again, Rng, as_the_solution, sizes


def patches(rng: Rng) -> tuple[Any, ...]:
    B, rows, columns, size = sizes(rng, 4, 2, 7)
    return rng.normal(size=(B, rows * size, columns * size, 3)), size


def encode(rng: Rng) -> tuple[Any, ...]:
    """Merges at random among pieces that there are, and a word of two letters."""
    letters, merges = list("ab"), []
    for _ in range(sizes(rng, 1)[0]):
        left, right = (str(piece) for piece in rng.choice(letters, 2))
        merges.append((left, right))
        letters.append(left + right)
    return "".join(rng.choice(list("ab"), sizes(rng, 1, 20, 60)[0])), merges


def pack(rng: Rng) -> tuple[Any, ...]:
    count, length = sizes(rng, 2)
    documents = [rng.integers(1, 50, n) for n in rng.integers(length, 30, count)]
    return documents, 0, length


def pieces(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Another language, another number of pieces; a few more tokens than BPE's are allowed."""
    count = int(rng.integers(12, 32))
    words, chances = language(rng, words=200, syllables=int(rng.integers(12, 28)))
    seen, new = (dict(zip(words, map(int, rng.multinomial(n, chances)))) for n in (900, 2000))
    seen = {word: n for word, n in seen.items() if n}
    got = expect_tokens(answer(dict(seen), count))
    expect(len(got) <= count, f"{count} pieces were asked for, and there are {len(got)}.")
    theirs = {"".join(pair) for pair in learn(seen, count)}
    mine, bpe = (sum(n * fewest(w, known) for w, n in new.items()) for known in (set(got), theirs))
    told = f"With {count} pieces new text takes {mine} tokens"
    expect(mine <= 1.03 * bpe, f"{told}; BPE's merges do it in {bpe}.")


MERGES = """Take a pencil. Three words and how often they occur:

| word | count |
|---|---|
{}

Find the first three merges; write each as its two parts with a space between them, such as
`"x y"`. Then cut the word *{}* with them.

Return the three merges, the first learned first, and the tokens of *{}*: two lists of strings."""

Words = dict[str, int]


def draw_merges(rng: Rng) -> tuple[Words, str]:
    """Three words and a new one of few letters, without a tie, and with something to merge."""
    while True:
        letters = [*rng.choice(list("bdklmnrst"), 2, replace=False), rng.choice(list("aeiou"))]
        made = ["".join(rng.choice(letters, n)) for n in (3, 4, 6, 5)]
        counts = rng.choice(np.arange(2, 7), 3, replace=False)
        words, new = dict(zip(made[:3], map(int, counts))), made[3]
        if len(set(made)) == 4 and _clear(words) and len(cut(new, learn(words, 3))) in (2, 3):
            return words, new


def _clear(words: Words) -> bool:
    """Whether each of three merges is of a pair that is more frequent than all others."""
    cuts = {word: list(word) for word in words}
    for merge in learn(words, 3):
        count: dict[tuple[str, str], int] = {}
        for word, tokens in cuts.items():
            if any(a == b == c for a, b, c in zip(tokens, tokens[1:], tokens[2:])):
                return False  # two pairs that overlap: how often is that?
            for pair in pairwise(tokens):
                count[pair] = count.get(pair, 0) + words[word]
        if sorted(count.values())[-2:-1] == [count[merge]]:
            return False
        cuts = {word: join(tokens, merge) for word, tokens in cuts.items()}
    return len(learn(words, 3)) == 3


def merges_text(words: Words, new: str) -> str:
    rows = "\n".join(f"| {word} | {count} |" for word, count in words.items())
    return MERGES.format(rows, new, new)


def merges(words: Words, new: str) -> tuple[list[str], list[str]]:
    learned = learn(words, 3)
    return [" ".join(pair) for pair in learned], cut(new, learned)


SUM = """A sum of two numbers of {n} digits each is written one digit after the other. To write the
next digit of the sum without error, how many of the {both} digits of the two numbers must one look
at, at least, if one also sees what has been written of the sum?

{cases}

(A sum has {more} digits, and the highest may be a 0.)

Return {count} whole numbers from 0 to {both}."""


def draw_sum(rng: Rng) -> tuple[Any, ...]:
    """How many digits, and four different moments."""
    digits = int(rng.integers(2, 6))
    moments = [(order, k) for order in ("highest first", "lowest first") for k in range(digits + 1)]
    return digits, [moments[i] for i in rng.permutation(len(moments))[:4]]


def sum_text(digits: int, moments: list[tuple[str, int]]) -> str:
    listed = [
        f"{n}. The {order.partition(' ')[0]} digit is written first. Digit {place + 1} of the sum, "
        f"with {place or 'nothing'} written."
        for n, (order, place) in enumerate(moments, start=1)
    ]
    cases = "\n".join(listed)
    known = {"n": digits, "more": digits + 1, "both": 2 * digits, "count": len(moments)}
    return SUM.format(cases=cases, **known)


def digits_needed(digits: int, moments: list[tuple[str, int]]) -> list[int]:
    return [_fewest(digits, order, place) for order, place in moments]


@lru_cache
def _fewest(digits: int, order: str, place: int) -> int:
    """Tried on all sums of base 2, which need as many digits as those of base 10."""
    a, b = np.indices((2**digits, 2**digits)).reshape(2, -1)
    total = [a + b >> k & 1 for k in range(digits + 1)]
    written = (total[::-1] if order == "highest first" else total)[: place + 1]
    for count in range(2 * digits + 1):
        for chosen in combinations([x >> k & 1 for x in (a, b) for k in range(digits)], count):
            known = sum(digit << k for k, digit in enumerate((*chosen, *written[:-1], 0 * a)))
            if len(np.unique(known)) == len(np.unique(2 * known + written[-1])):
                return count
    raise AssertionError("all digits together decide the sum")


VARIANTS = {
    "by_hand": Again(draw_merges, merges_text, merges, (WORDS, NEW)),
    "patches": as_the_solution(patches),
    "encode": as_the_solution(encode),
    "pack": as_the_solution(pack),
    "prediction": Again(draw_sum, sum_text, digits_needed, (3, list(CASES))),
    "pieces": pieces,
}
