"""A word cut into tokens by merges that were learned."""

from collections.abc import Callable
from typing import Any

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect
from minitx.checks.tokens.oracle import (
    Rng,
    encode,
    expect_tokens,
    learn,
    longest_first,
)

check_encode = Exercise(
    name="tokens/encode",
    title="Merges, in order",
    call="encode(word, merges)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="One pass over the list is enough: a merge needs only what earlier merges made.",
)


@check_encode.stage("Without merges, a word is its characters")
def characters(encode: Callable[..., Any], rng: Rng) -> None:
    got = expect_tokens(encode("tent", []))
    expect(got == list("tent"), f"Without merges, tent should be t, e, n, t, and is {got}.")
    got = expect_tokens(encode("", [("t", "e")]))
    expect(got == [], f"An empty word has no tokens, and yours has {got}.")


@check_encode.stage(
    "One merge, made wherever it fits",
    hint="A `for` loop over range(len(tokens)) goes on to the old end while the list gets shorter: "
    "build a new list, with a `while` loop over the old one.",
)
def one_merge(encode: Callable[..., Any], rng: Rng) -> None:
    got = expect_tokens(encode("banana", [("a", "n")]))
    expect(
        got != ["b", "an", "a", "n", "a"],
        "Only the first “a n” was merged: a merge is made wherever the pair stands.",
    )
    expect(
        got == ["b", "an", "an", "a"],
        f"With the merge “a n”, banana should be b, an, an, a, and is {got}.",
    )


@check_encode.stage("Three in a row: aaa")
def overlapping(encode: Callable[..., Any], rng: Rng) -> None:
    got = expect_tokens(encode("aaa", [("a", "a")]))
    expect(
        got != ["aa", "aa"],
        "From aaa you made aa, aa, which is a letter too many: the middle one was used twice. "
        "After a merge, go on behind both of its letters.",
    )
    expect(got != ["a", "aa"], "From aaa you made a, aa: the merge is made from the left.")
    expect(got == ["aa", "a"], f"With the merge “a a”, aaa should be aa, a, and is {got}.")


@check_encode.stage("A token is one thing, and no longer its letters")
def whole_tokens(encode: Callable[..., Any], rng: Rng) -> None:
    got = expect_tokens(encode("xab", [("x", "a"), ("a", "b")]))
    expect(
        got != ["x", "ab"],
        "From xab you made x, ab: “a b” was made before “x a”, which stands first in the list.",
    )
    expect(
        got == ["xa", "b"],
        f"With the merges “x a” and “a b”, xab should be xa, b, and is {got}. Once x and a are one "
        "token, no a is left that could be merged with b: compare whole tokens, not the ends of "
        "strings.",
    )


@check_encode.stage("Many words, many merges, in the order that was learned", points=2)
def in_order(ours: Callable[..., Any], rng: Rng) -> None:
    new = ["".join(rng.choice(list("abn"), rng.integers(3, 10))) for _ in range(200)]
    counts = {word: int(n) for word, n in zip(new[:50], rng.integers(1, 20, 50))}
    merges = learn(counts, 30)
    vocabulary = {"".join(pair) for pair in merges}
    found = {word: expect_tokens(ours(word, merges)) for word in new}
    longest = {word: longest_first(word, vocabulary) for word in new}
    apart = [word for word in new if longest[word] != encode(word, merges)]
    expect(
        any(found[word] != longest[word] for word in apart),
        "You take the longest token that fits, from the left. That is another code (WordPiece's): "
        "BPE makes the merges one after the other, the earliest learned first.",
    )
    for word, got in found.items():
        want = encode(word, merges)
        expect(
            got == want,
            f"The word {word} should be {'·'.join(want)}, and is {'·'.join(got)}: the merges are "
            "made in the order of the list, each wherever it fits before the next one.",
        )
