"""Page ``encoder``."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minitx.checks.encoder.prediction import word
from minitx.checks.encoder.search import words
from minitx.checks.expect import expect

from . import Again, Rng, as_the_solution, sizes


def masked_loss(rng: Rng) -> tuple[Any, ...]:
    B, T, V = sizes(rng, 3)
    hidden = rng.random((B, T)) < 0.4
    hidden[0, 0] = True
    logits = rng.normal(size=(B, T, V)) * 10.0 ** rng.integers(0, 5, (B, T, 1))
    return logits, rng.integers(V, size=(B, T)), hidden


def poly_scores(rng: Rng) -> tuple[Any, ...]:
    B, T, D, m, C = sizes(rng, 5)
    candidates = rng.normal(size=(C, D)) * 10.0 ** rng.integers(0, 5, (C, 1))
    return rng.normal(size=(B, T, D)), rng.normal(size=(m, D)), candidates


def written(w: list[str], n: int) -> tuple[str, list[str]]:
    """A question and n passages; the first has its two words, the second has one as it stands."""
    first = f"{w[0].upper()}, {w[2]}. {w[1].title()}!"
    return f"{w[0]} {w[1]}?", [first, f"{w[0]} {w[3]}", *w[4 : n + 2]]


def whole(w: list[str], n: int) -> tuple[str, list[str]]:
    """The first has the words, the second has them as parts of longer ones."""
    parts = f"{w[2]}{w[0]} {w[1]}{w[3]} {w[0]}{w[4]}"
    return f"{w[0]} {w[1]}", [f"{w[0]} {w[1]}", parts, *w[5 : n + 3]]


def long(w: list[str], n: int) -> tuple[str, list[str]]:
    """The second has the words more often, among many others."""
    filled = f"{w[0]} {w[1]} {w[0]} {' '.join(w[30:])} {w[1]}"
    return f"{w[0]} {w[1]}", [f"{w[0]} {w[1]} {w[2]}", filled, *w[3 : n + 1]]


def rare(w: list[str], n: int) -> tuple[str, list[str]]:
    """The first has the one word that all others have not."""
    others = [f"{w[0]} {w[1]} {word}" for word in w[6 : 7 + 2 * n]]
    return f"{w[0]} {w[1]} {w[2]}", [" ".join(w[2:6]), *others]


def search(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any ranking will do in which the passage comes first that a reader would choose."""
    for make, n in zip((written, whole, long, rare), sizes(rng, 4, 5, 12)):
        question, passages = make(words(rng, 60 + n), n)
        places = rng.permutation(len(passages))  # what stands at each place
        got = answer(question, [passages[i] for i in places])
        got = [int(i) for i in got]
        each_once = sorted(got) == list(range(len(passages)))
        expect(each_once, f"Return the numbers of all {len(passages)} passages, each once.")
        found = passages[places[got[0]]]
        expect(found == passages[0], f"For {question!r} it found {found[:50]!r} first.")


HAND = """\
There are four words, with the vectors

| word | 0 | 1 | 2 | 3 |
|---|---|---|---|---|
| vector | {} |

and a text of three tokens, of which an encoder has made the vectors

| token | hidden? | vector | truth |
|---|---|---|---|
{}

Work out the probabilities of the four words at each of the two holes (two rows of four) and the
loss of the text, the mean over its holes, in bits. Write `1 / 7` rather than a rounded number.
Return the probabilities and the loss."""

WORDS = [(1, 0), (0, 1), (1, 1), (0, 0)]


def draw_hand(rng: Rng) -> tuple[Any, ...]:
    """The words' vectors; tokens (a, b, truth), with the vector (ln a, ln b); which is seen."""
    words = [WORDS[i] for i in rng.permutation(4)]
    whole = [
        (a, b, truth)
        for a, b in np.ndindex(8, 8)
        for truth in range(4)
        if a and b and a * b > 1 and float(np.log2(_chances(words, a, b)[truth])).is_integer()
    ]  # where the loss is a whole number of bits
    return words, [whole[i] for i in rng.permutation(len(whole))[:3]], int(rng.integers(3))


def _chances(words: list[tuple[int, int]], a: int, b: int) -> np.ndarray:
    parts = np.array([float(a) ** i * float(b) ** j for i, j in words])
    return parts / parts.sum()


def hand_text(words: Any, tokens: Any, seen: int) -> str:
    rows = [
        f"| {t} | {'no' if t == seen else 'yes'} | ({_ln(a)}, {_ln(b)}) | word {truth} |"
        for t, (a, b, truth) in enumerate(tokens)
    ]
    return HAND.format(" | ".join(map(str, words)), "\n".join(rows))


def _ln(n: int) -> str:
    return f"ln {n}" if n > 1 else "0"


def hand(words: Any, tokens: Any, seen: int) -> tuple[Any, float]:
    holes = [token for t, token in enumerate(tokens) if t != seen]
    chances = [_chances(words, a, b) for a, b, _ in holes]
    bits = [-np.log2(row[truth]) for row, (_, _, truth) in zip(chances, holes)]
    return chances, float(np.mean(bits))


FACTS = """\
A context is a set of facts, each a random vector of {} numbers. It is kept as **one** vector, the
mean of its facts. Sixteen candidates are compared with it by their dot products: one of them is a
fact of the context, the other fifteen are random vectors of the same kind. How often does the
right one win, if a context is **{}**, **{}** or **{}** facts: `"nearly always"` (more than 90
times in 100), `"sometimes"` or `"hardly ever"` (at most 16 times in 100, where guessing wins 6
times)?

Return three words, in this order."""


def draw_facts(rng: Rng) -> tuple[int, ...]:
    """A width and three numbers of facts, not all with the same answer, and none on an edge."""
    while True:
        counts = [int(n) for n in rng.choice(4 ** np.arange(1, 8), 3, replace=False)]
        width = int(rng.choice([16, 64, 256, 1024]))
        edges = [abs(_share(width, n) - edge) for n in counts for edge in (0.9, 0.16)]
        if min(edges) > 0.03 and len(set(facts(width, *counts))) > 1:
            return width, *counts


@cache
def _share(width: int, count: int, trials: int = 40000) -> float:
    """How often the right candidate wins, to 0.5 %.

    Of the sum of all facts only two numbers matter: how far it goes along the right one, and its
    length, which is how loud the noise is that the other candidates hear.
    """
    rng = np.random.default_rng(0)
    fact = np.sqrt(rng.chisquare(width, trials))  # its length
    along = fact + np.sqrt(count - 1) * rng.normal(size=trials)
    length = np.sqrt(along**2 + (count - 1) * rng.chisquare(width - 1, trials))
    others = length * rng.normal(size=(15, trials)).max(axis=0)
    return float((fact * along > others).mean())


def facts(width: int, *counts: int) -> list[str]:
    return [word(_share(width, count)) for count in counts]


VARIANTS = {
    "by_hand": Again(draw_hand, hand_text, hand, (WORDS, [(2, 3, 2), (2, 1, 0), (3, 1, 1)], 1)),
    "masked_loss": as_the_solution(masked_loss),
    "poly_scores": as_the_solution(poly_scores),
    "prediction": Again(draw_facts, FACTS.format, facts, (64, 4, 64, 4096)),
    "search": search,
}
