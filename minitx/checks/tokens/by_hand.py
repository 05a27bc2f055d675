"""Three merges learned with a pencil, and a word that was not seen."""

from collections.abc import Callable
from typing import Any

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect
from minitx.checks.tokens.oracle import Rng, encode, expect_tokens, learn, longest_first

check_by_hand = Exercise(
    name="tokens/by_hand",
    title="Three merges and a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="A word nobody has seen became two tokens: merges travel, whole words do not.",
)

WORDS = {"ban": 4, "nab": 2, "banana": 3}
NEW = "anana"


def _answer(by_hand: Callable[[], Any]) -> tuple[list[tuple[str, ...]], list[str]]:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return two lists, merges and tokens: `return merges, tokens`.",
    )
    merges = [" ".join(m) if isinstance(m, tuple) else m for m in got[0]]
    pairs = [tuple(merge.split()) for merge in expect_tokens(merges, "the merges:")]
    expect(
        len(pairs) == 3 and all(len(pair) == 2 for pair in pairs),
        'The merges should be three strings with a space between the two parts, such as "x y"; '
        f"there are {len(pairs)}: {merges}.",
    )
    return pairs, expect_tokens(got[1], "the tokens:")


@check_by_hand.stage("The first merge is the most frequent pair")
def first_merge(by_hand: Callable[[], Any], rng: Rng) -> None:
    merges, _ = _answer(by_hand)
    causes = {
        ("n", "a"): "“n a” stands twice in banana, but “a n” does so too, and in ban as well.",
        ("b", "a"): "“b a” is in every ban and banana, 7 times; “a n” is in each banana twice.",
    }
    first = learn(WORDS, 1)[0]
    expect(
        merges[0] == first,
        causes.get(merges[0], "Count each pair of neighbours, times how often its word occurs."),
    )


@check_by_hand.stage("The next two, counted afresh", points=2)
def next_merges(by_hand: Callable[[], Any], rng: Rng) -> None:
    merges, _ = _answer(by_hand)
    want = learn(WORDS, 3)
    if merges[1] == ("n", "a"):
        expect(
            False,
            "The old counts are out of date: after the first merge banana is b·an·an·a, and no "
            "“n a” is left in it. Count again.",
        )
    expect(
        merges[1] == want[1],
        "The second merge is another one: write the words out with “an” as one token, and count.",
    )
    expect(
        merges[2] != ("ban", "an"),
        "“ban an” and “an a” are equally frequent, and of equals the first in the alphabet is "
        "taken: compare their first parts.",
    )
    expect(merges[2] == want[2], "The third merge is another one: ban·an·a, what stands in it?")


@check_by_hand.stage("The new word, merged in the order that was learned")
def new_word(by_hand: Callable[[], Any], rng: Rng) -> None:
    merges, tokens = _answer(by_hand)
    expect(
        "".join(tokens) == NEW,
        f"The tokens put together should be {NEW}, and are {''.join(tokens)}.",
    )
    vocabulary = {"".join(pair) for pair in merges}
    expect(
        tokens != longest_first(NEW, vocabulary),
        "You took the longest token from the left. Make the merges, the first one first: then "
        "“an” is made twice before “ana” can be.",
    )
    expect(
        tokens == encode(NEW, learn(WORDS, 3)),
        f"Begin with {'·'.join(NEW)}, make the first merge wherever it fits, then the second.",
    )
