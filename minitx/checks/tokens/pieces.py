"""A vocabulary of one's own making, against one that BPE learns."""

from collections.abc import Callable
from typing import Any

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect
from minitx.checks.tokens.oracle import Rng, expect_tokens, language, learn

check_pieces = Exercise(
    name="tokens/pieces",
    title="Open: a vocabulary of your own",
    call="pieces(words, count)",
    kind="open",
    difficulty=3,
    minutes=40,
    insight="Few tokens for frequent words, a few more for rare ones: that is a compressor.",
)

COUNT = 24


def fewest(word: str, vocabulary: set[str]) -> int:
    """The least number of tokens that ``word`` can be cut into; letters are always tokens."""
    best = [0]
    for end in range(1, len(word) + 1):
        last = (i for i in range(end) if end - i == 1 or word[i:end] in vocabulary)
        best.append(1 + min(best[i] for i in last))
    return best[-1]


def _drawn(rng: Rng) -> tuple[dict[str, int], dict[str, int]]:
    """Words with their counts: to learn from, and to be judged by; some only in the second."""
    words, chances = language(rng, words=300, syllables=20)
    drawn = [rng.multinomial(n, chances) for n in (1000, 3000)]
    seen, new = ({w: int(n) for w, n in zip(words, counts) if n} for counts in drawn)
    more = ["".join(rng.choice(words, 2)) for _ in range(60)]  # compounds: not one was seen
    return seen, new | {word: 3 for word in more if word not in seen}


def _cost(words: dict[str, int], vocabulary: set[str]) -> int:
    return sum(n * fewest(word, vocabulary) for word, n in words.items())


def _chosen(pieces: Callable[..., Any], words: dict[str, int]) -> set[str]:
    got = expect_tokens(pieces(dict(words), COUNT))
    expect(len(set(got)) == len(got), "Some piece is there twice: each costs a place.")
    expect(
        len(got) <= COUNT,
        f"At most {COUNT} pieces were asked for, and you return {len(got)}. Letters need no place.",
    )
    expect("" not in got, "A piece expected some letters, and one of yours is empty.")
    return set(got)


@check_pieces.stage("At most so many pieces, and they shorten the text")
def shorter(pieces: Callable[..., Any], rng: Rng) -> None:
    seen, new = _drawn(rng)
    cost, letters = _cost(new, _chosen(pieces, seen)), _cost(new, set())
    expect(
        cost < letters,
        f"New text takes {cost} tokens, as many as it has letters: do your pieces stand in words?",
    )


@check_pieces.stage("Shorter by a tenth than with the most frequent pairs of letters")
def better_than_pairs(pieces: Callable[..., Any], rng: Rng) -> None:
    seen, new = _drawn(rng)
    pairs: dict[str, int] = {}
    for word, n in seen.items():
        for i in range(len(word) - 1):
            pairs[word[i : i + 2]] = pairs.get(word[i : i + 2], 0) + n
    best = set(sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:COUNT])
    cost, theirs = _cost(new, _chosen(pieces, seen)), _cost(new, best)
    expect(
        cost < 0.9 * theirs,
        f"New text takes {cost} tokens; the {COUNT} most frequent pairs of letters do it in "
        f"{theirs}, and a tenth less was asked for. Longer pieces save more "
        "each time they are used.",
    )


@check_pieces.stage("As good as the merges of BPE", points=2)
def as_good_as_bpe(pieces: Callable[..., Any], rng: Rng) -> str:
    seen, new = _drawn(rng)
    merged = {"".join(pair) for pair in learn(seen, COUNT)}
    cost, theirs = _cost(new, _chosen(pieces, seen)), _cost(new, merged)
    expect(
        cost <= theirs,
        f"New text takes {cost} tokens; BPE's {COUNT} merges do it in {theirs}. Pieces overlap: "
        "what one saves, another cannot save again. Choose one, then count afresh.",
    )
    if cost == theirs:
        return "You are level with BPE. Can you do better? What is in its list and never used?"
    return f"BPE needs {theirs / cost:.2f} times as many tokens as you do."
