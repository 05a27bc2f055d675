"""A search engine without a network: which passage is nearest to a question?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

check_search = Exercise(
    name="encoder/search",
    title="Open: a search engine that counts",
    call="search(question, passages)",
    kind="open",
    difficulty=2,
    minutes=35,
    insight="Counting finds whoever uses your words. For 'car' it will never find 'automobile': "
    "that is what an encoder is for.",
)

Rng = np.random.Generator
PARTS = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu".split()


def words(rng: Rng, count: int) -> list[str]:
    """Words that nobody knows, all different, none within another."""
    order = rng.permutation(len(PARTS) ** 2)[:count]
    return [f"{PARTS[i // 25]}{PARTS[i % 25]}{'xz'[i % 2]}" for i in order]


def _order(search: Callable[..., Any], question: str, passages: list[str]) -> list[int]:
    got = search(question, list(passages))
    if isinstance(got, np.ndarray):
        got = got.tolist()
    what = f"the numbers of all {len(passages)} passages, best first"
    expect(isinstance(got, list | tuple), f"Your function should return {what}: a list; it "
           f"returned {describe(got)}.")  # fmt: skip
    expect(
        sorted(map(str, got)) == sorted(map(str, range(len(passages)))),
        f"Your function should return {what}, each number once.",
    )
    return [int(i) for i in got]


def _first(search: Callable[..., Any], question: str, passages: list[str], why: str) -> None:
    """Fail unless passage 0 is found first, wherever it stands."""
    for shift in range(2):
        turned = passages[shift:] + passages[:shift]
        best = _order(search, question, turned)[0]
        if best != turned.index(passages[0]):
            shown = f"For {question!r} it found {turned[best][:50]!r} before {passages[0][:50]!r}."
            expect(False, f"{why} {shown}")


@check_search.stage("The passage that has the words of the question comes first")
def has_the_words(search: Callable[..., Any], rng: Rng) -> None:
    w = words(rng, 12)
    passages = [" ".join(w[i : i + 3]) for i in (0, 3, 6, 9)]
    order = _order(search, " ".join(w[0:2]), passages)
    expect(order[-1] != 0, "The best passage comes last: return the largest score first.")
    _first(search, " ".join(w[1:3]), passages, "The passage with two of its two words must win.")


@check_search.stage("Capitals and punctuation make no difference")
def as_written(search: Callable[..., Any], rng: Rng) -> None:
    w = words(rng, 12)
    passages = [f"{w[0].upper()}, {w[1]}. {w[2].capitalize()}!", *(" ".join(w[i : i + 3])
                for i in (3, 6, 9))]  # fmt: skip
    why = "Words are the same with a capital, a comma or a full stop: lower the text, and find "
    _first(search, f"{w[0]} {w[2]}?", passages, why + r"words with re.findall(r'\w+', text).")


@check_search.stage("A word is a whole word")
def whole_words(search: Callable[..., Any], rng: Rng) -> None:
    w = words(rng, 6)
    passages = [f"{w[0]} {w[1]}", f"{w[2]}{w[0]}{w[3]} {w[4]}{w[1]} {w[0]}{w[5]}"]
    why = "Parts of words were matched, as in cat and concatenate: compare whole words."
    _first(search, f"{w[0]} {w[1]}", [*passages, w[3]], why)


@check_search.stage("Length does not win")
def length(search: Callable[..., Any], rng: Rng) -> None:
    w = words(rng, 60)
    long = " ".join([w[0], w[1], w[0], *w[6:50], w[1]])
    passages = [f"{w[0]} {w[1]} {w[2]}", long, *w[50:56]]
    why = (
        "A long passage has more of every word: divide the vector of counts by its length, so "
        "that it is about what most of it is about."
    )
    _first(search, f"{w[0]} {w[1]}", passages, why)


@check_search.stage("Rare words say more than frequent ones", points=2)
def rare(search: Callable[..., Any], rng: Rng) -> None:
    w = words(rng, 60)
    common = w[:2]
    others = [f"{common[0]} {common[1]} {a}" for a in w[30:42]]
    passages = [f"{w[2]} {w[3]} {w[4]} {w[5]}", *others]
    why = (
        "A word that stands in nearly every passage tells nothing: weight each word, for example "
        "by log(number of passages / passages that have it)."
    )
    _first(search, f"{common[0]} {common[1]} {w[2]}", passages, why)
