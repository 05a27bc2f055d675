"""Page ``encoder_decoder``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Tree, beam, random_tree
from minitx.checks.expect import expect, expect_array

from . import Again, Rng, as_the_solution, sizes


def cross_attention(rng: Rng) -> tuple[Any, ...]:
    B, T, S, D, E, d, e = sizes(rng, 7)
    weights = (rng.normal(size=shape) for shape in ((D, d), (E, d), (E, e)))
    valid = rng.random((B, S)) < 0.7
    valid[:, 0] = True
    h = rng.normal(size=(B, T, D)) * 10.0 ** rng.integers(0, 6, (B, T, 1))
    return h, rng.normal(size=(B, S, E)), *weights, valid


def teacher_forcing(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Where nothing counts any input will do; padding may have the id of the end."""
    for pad_is_end in (False, True, False):
        texts = [rng.integers(3, 80, n).tolist() for n in sizes(rng, 4, 0, 12)]
        start, end, pad = (int(n) for n in rng.permutation(np.arange(80, 99))[:3])
        ids = start, end, end if pad_is_end else pad
        got, want = answer([list(text) for text in texts], *ids), solution(texts, *ids)
        expect(isinstance(got, tuple | list) and len(got) == 3, "Return three arrays.")
        told = f"texts of {[len(text) for text in texts]} words, (start, end, pad) = {ids}"
        for name, a, b in zip(("inputs", "targets", "counts"), got, want):
            like = isinstance(a, np.ndarray) and (a.dtype.kind, a.shape) == (b.dtype.kind, b.shape)
            expect(like, f"Expected {name} of shape {b.shape}, {b.dtype}, for {told}.")
            where = want[2] | (name != "inputs")
            expect(np.array_equal(a[where], b[where]), f"{name} is wrong for {told}.")


def beam_search(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Many small trees, a trap, and a text so long that its probability is 0 on a computer."""
    for width in (1, 2, 3, 4) * 6:
        words, limit = int(rng.integers(3, 6)), int(rng.integers(3, 5))
        end = int(rng.integers(words))
        _search(answer, solution, random_tree(rng, words, limit), width, end, limit)
    trap = np.array([[0.58, 0.12, 0.08, 0.22], [0.48, 0.46, 0.03, 0.03], [0.25] * 4])
    order = rng.permutation(4)  # word 3 of the trap is the end: likely, and soon hard pressed
    trap = np.log((trap + rng.uniform(0, 0.01, trap.shape))[:, order])
    last = int(np.flatnonzero(order == 3)[0])
    _search(answer, solution, lambda text: trap[min(len(text), 2)].copy(), 2, last, 3)
    V, limit = int(rng.integers(60, 90)), int(rng.integers(240, 300))
    log_p = np.log(rng.dirichlet(np.full(V, 5.0)))
    log_p[0] = -50.0
    _search(answer, solution, lambda text: log_p.copy(), 2, 0, limit)


def _search(answer: Any, solution: Any, tree: Tree, width: int, end: int, limit: int) -> None:
    got, (text, total) = answer(tree, width, end, limit), solution(tree, width, end, limit)
    expect(isinstance(got, tuple | list) and len(got) == 2, "Return the text and its log p.")
    told = f"{width} beams, end = {end}, limit = {limit}, and {len(tree([]))} words"
    expect([int(word) for word in got[0]] == text, f"Another text should be found with {told}.")
    expect(abs(float(got[1]) - total) < 1e-8 * abs(total), f"The log p is wrong with {told}.")


def misled(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any tree will do that fools k beams, and not k + 1."""
    for k in (*sizes(rng, 2, 2, 28), int(rng.integers(30, 60))):
        got = answer(k)
        expect(isinstance(got, tuple | list) and len(got) == 2, "Return two arrays.")
        first, second = (expect_array(x) for x in got)
        expect(len(first) == len(second) > k, f"Expected (n,) and (n, m) with n above {k}.")
        sums = [first.sum(), *second.sum(axis=1)]
        expect(np.allclose(sums, 1) and min(first.min(), second.min()) >= 0, "No probabilities.")
        order = np.argsort(-first)
        apart = first[order[k - 1]] - first[order[k]]
        expect(apart > 1e-6, f"Which first words a beam of {k} keeps hangs on rounding.")
        best = (first[:, None] * second).max(axis=1)[order]  # of the texts with each first word
        expect(best[:k].max() < best.max() - 1e-6, f"A beam of {k} is not fooled.")
        expect(best[k] > best.max() - 1e-6, f"A beam of {k} is fooled, but so is one of {k + 1}.")


HAND = """\
A text is two words. The first word, its probability, and how many words may follow it, all with
the same probability:

| first word | {} |
|---|{}
| probability | {} |
| words that may follow | {} |

What is the probability of the text that a beam of one finds, and of those that beams of two and of
three find? Return three numbers; write `2 / 7` rather than a rounded number."""


def draw_hand(rng: Rng) -> tuple[list[int], list[int]]:
    """Shares of first words, and how many words follow: a beam of one is fooled, no two tie."""
    while True:
        shares = rng.permutation(np.arange(1, 9))[:4]
        follow = rng.choice([1, 2, 3, 4, 5, 6, 8, 10], 4)
        greedy = shares.argmax() == (shares / follow).argmax()
        if shares.sum() in (10, 12, 20) and len({*(shares / follow)}) == 4 and not greedy:
            return shares.tolist(), follow.tolist()


def hand_text(shares: list[int], follow: list[int]) -> str:
    chances = [f"{n}/{sum(shares)}" for n in shares]
    first, *rows = (" | ".join(map(str, row)) for row in ("abcd"[: len(shares)], chances, follow))
    return HAND.format(first, "---|" * len(shares), *rows)


def hand(shares: list[int], follow: list[int]) -> list[float]:
    chances = np.array(shares) / sum(shares)
    best = (chances / follow)[np.argsort(-chances)]
    return [float(best[:width].max()) for width in (1, 2, 3)]


LENGTH = """\
Whatever has been written, the next word is the end with probability {:g}, *ha* with {:g}, and one
of two others with {:g} each. A text is cut after {} words. Is what a beam search finds `"empty"`
(the end alone) or `"full"` ({} words)? Scores are log probabilities; with $\\alpha$, they are
divided by the length, end included, to the power $\\alpha$, when the finished texts are compared.

{}

Return three words."""


def draw_length(rng: Rng) -> tuple[Any, ...]:
    """The chances, where a text is cut, and three searches that do not all find the same."""
    every = [(width, power) for width in (1, 2, 3) for power in (0.0, 0.5, 1.0)]
    found: list[str] = []
    while len(set(found)) < 2 or "neither" in found:
        end, ha = (int(n) for n in rng.choice(np.arange(20, 46, 2), 2, replace=False))
        chances, limit = (end / 100, ha / 100, (100 - end - ha) / 200), int(rng.integers(6, 12))
        searches = [every[i] for i in rng.permutation(len(every))[:3]]
        found = length(chances, limit, searches)
    return chances, limit, searches


def length_text(chances: Any, limit: int, searches: Any) -> str:
    listed = [
        f"{n}. {width} beam{'s' * (width > 1)}, $\\alpha = {power:g}$"
        for n, (width, power) in enumerate(searches, start=1)
    ]
    return LENGTH.format(*chances, limit, limit, "\n".join(listed))


def length(chances: Any, limit: int, searches: Any) -> list[str]:
    end, ha, other = chances
    words = []
    for width, power in searches:
        found = beam(lambda text: np.log([ha, other, other, end]), width, 3, limit)
        best = max(found, key=lambda text: found[text] / len(text) ** power)
        words.append({1: "empty", limit: "full"}.get(len(best), "neither"))
    return words


VARIANTS = {
    "by_hand": Again(draw_hand, hand_text, hand, ([5, 3, 2], [10, 2, 1])),
    "cross_attention": as_the_solution(cross_attention),
    "teacher_forcing": teacher_forcing,
    "beam_search": beam_search,
    "prediction": Again(
        draw_length, length_text, length, ((0.3, 0.36, 0.17), 8, [(1, 0.0), (2, 0.0), (2, 1.0)])
    ),
    "misled": misled,
}
