"""Beam search over trees, between greedy decoding and exhaustive search."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Rng, Tree, beam, best, random_tree, texts
from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

Search = Callable[..., Any]

check_beam_search = Exercise(
    name="encoder_decoder/beam_search",
    title="Beam search",
    call="beam_search(log_probs, width, end, limit)",
    kind="implement",
    difficulty=2,
    minutes=30,
    insight="One beam is greedy, enough beams are exhaustive, and the rest is a bargain.",
)


def _found(search: Search, tree: Tree, width: int, end: int, limit: int) -> tuple[list, float]:
    got = search(tree, width, end, limit)
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        f"Return the text and its log p: `return text, total`. It returned {describe(got)}.",
    )
    text, total = got
    expect(
        isinstance(text, list | tuple | np.ndarray) and not isinstance(total, list | tuple | str),
        "Return the text first, a list of ids, and then its log probability, one number.",
    )
    text = [int(word) for word in text]
    expect(
        0 < len(text) <= limit,
        f"With limit = {limit} the text has {len(text)} words: a round adds one word.",
    )
    expect(
        all(word != end for word in text[:-1]),
        f"The text {text[:9]} goes on after the end, {end}: what has ended must be put aside.",
    )
    truth = sum(float(tree(text[:t])[word]) for t, word in enumerate(text))
    total = float(total)
    expect(
        total > -math.inf,
        "The log p is minus infinity: a product of many probabilities is 0 on a computer. Add up "
        "logarithms.",
    )
    slips = [
        (math.exp(truth), "This is the probability; its logarithm is asked for."),
        (sum(math.exp(tree(text[:t])[word]) for t, word in enumerate(text)),
         "Probabilities were added: logarithms add up, probabilities multiply."),
        (truth / len(text), "The log probability was divided by the length: no penalty here."),
    ]  # fmt: skip
    if abs(total - truth) > 1e-9:
        for wrong, cause in slips:
            expect(abs(total - wrong) > 1e-9, cause)
        said = f"has log p = {truth:.4f}, and you returned {total:.4f}."
        expect(False, f"The text {text[:9]} {said}")
    return text, total


Case = tuple[Tree, int, int, int]
FORGOTTEN = (
    "A text that ended early was forgotten: what has ended is put aside, and at the end competes "
    "with what is still alive."
)
FAMILIES = (
    "Each beginning went on with one child: rank the children of all together, so that two of "
    "them may have the same parent."
)
MEAN = "Texts were ranked by their *mean* log p: here the sum decides."
PUSHED_OUT = (
    "A finished text was pushed out again by beginnings that were likelier at the time and came "
    "to nothing: put aside what has ended, where it is safe."
)


def _compare(search: Search, cases: list[Case], mistakes: list[tuple[Any, str]]) -> None:
    """Fails unless every case is found as by the oracle; a mistake must explain all cases."""
    got = [_found(search, *case)[0] for case in cases]
    want = [best(beam(*case)) for case in cases]
    for wrong, cause in mistakes:
        expect(got == [text for text, _ in want] or got != [wrong(*case) for case in cases], cause)
    for text, (right, total), (_, width, end, _) in zip(got, want, cases):
        expect(
            text == right,
            f"A beam of {width} should find the text {right} (the end is {end}), with log p "
            f"{total:.3f}. Yours found {text}.",
        )


@check_beam_search.stage("A beam of one is greedy", hint="After a round, nothing may be alive.")
def greedy(search: Search, rng: Rng) -> None:
    cases = [(random_tree(rng, 4, 4), 1, 3, 4) for _ in range(6)]
    exhausted = lambda tree, width, end, limit: best(texts(tree, end, limit))[0]  # noqa: E731
    wide = "This is the best of all texts: a beam of one keeps one beginning in each round."
    _compare(search, cases, [(exhausted, wide)])


@check_beam_search.stage("A wide beam is exhaustive", points=2)
def exhaustive(search: Search, rng: Rng) -> None:
    cases = [(random_tree(rng, 3, 4), 3**4, 2, 4) for _ in range(12)]
    narrow = lambda tree, width, end, limit: best(beam(tree, 1, end, limit))[0]  # noqa: E731
    alone = "This is greedy decoding, whatever the width: keep `width` results in each round."
    mistakes = [(_forgets, FORGOTTEN), (_one_child_each, FAMILIES), (_by_mean, MEAN)]
    _compare(search, cases, [*mistakes, (narrow, alone)])


@check_beam_search.stage("In between, all children are ranked together", points=2)
def between(search: Search, rng: Rng) -> None:
    cases = [(random_tree(rng, 4, 4), 2 + i % 3, 3, 4) for i in range(48)]
    trap = np.log([[0.58, 0.12, 0.08, 0.22], [0.48, 0.46, 0.03, 0.03], [0.25, 0.25, 0.25, 0.25]])
    cases.append((lambda text: trap[min(len(text), 2)].copy(), 2, 3, 4))
    _compare(search, cases, [(_pushed_out, PUSHED_OUT), (_one_child_each, FAMILIES)])


@check_beam_search.stage("Many beams, long texts: nothing vanishes")
def long_texts(search: Search, rng: Rng) -> None:
    base = np.log(rng.dirichlet(np.full(75, 5.0)))  # so many that 300 words have log p < -745
    base[74] = -50.0
    want = [int(base.argmax())] * 300
    text, _ = _found(search, lambda text: base.copy(), 3, 74, 300)
    expect(text == want, "The best text of 300 words repeats the likeliest one; yours does not.")


def _forgets(tree: Tree, width: int, end: int, limit: int) -> list[int]:
    """The best of what is alive to the last."""
    found = beam(tree, width, end, limit)
    return best({text: score for text, score in found.items() if text[-1] != end} or found)[0]


def _by_mean(tree: Tree, width: int, end: int, limit: int) -> list[int]:
    """The best mean of what was found."""
    found = beam(tree, width, end, limit)
    return list(max(found, key=lambda text: found[text] / len(text)))


def _one_child_each(tree: Tree, width: int, end: int, limit: int) -> list[int]:
    """Beams that never compete: after the first round each keeps its own best child."""
    first = tree([])
    alive = {(int(w),): float(first[w]) for w in np.argsort(-first)[:width]}
    finished = {}
    for _ in range(limit - 1):
        finished |= {text: score for text, score in alive.items() if text[-1] == end}
        grown = {}
        for text, score in alive.items():
            if text[-1] != end:
                log_p = tree(list(text))
                grown[*text, int(log_p.argmax())] = score + float(log_p.max())
        alive = grown
    return best(finished | alive)[0]


def _pushed_out(tree: Tree, width: int, end: int, limit: int) -> list[int]:
    """Finished texts stay in the beam, and compete for its places."""
    kept: dict[tuple, float] = {(): 0.0}
    for _ in range(limit):
        grown = {text: score for text, score in kept.items() if text and text[-1] == end}
        for text, score in kept.items():
            if not text or text[-1] != end:
                row = enumerate(tree(list(text)))
                grown |= {(*text, w): score + float(one) for w, one in row}
        best_ones = sorted(grown, key=lambda text: -grown[text])[:width]
        kept = {text: grown[text] for text in best_ones}
    return best(kept)[0]
