"""The loops that judge readers of chapter ``tokens`` say the same as the package."""

import re
from pathlib import Path

import numpy as np
import pytest

from minitx.checks.tokens import patches, pieces  # the modules
from minitx.checks.tokens.by_hand import NEW, WORDS
from minitx.checks.tokens.oracle import encode, language, learn, longest_first
from minitx.checks.tokens.prediction import digits_needed
from minitx.tokens import to_patches
from minitx.tokens import wordpiece as package
from minitx.tokens.merges import naive_learn, naive_merge

MASTER = Path(__file__).parents[2] / "exercises" / "tokens.py"
LETTERS = "abn"


def test_merges_are_those_of_the_package():
    rng = np.random.default_rng(5)
    words = ["".join(rng.choice(list(LETTERS), rng.integers(1, 11))) for _ in range(90)]
    counts = {word: int(n) for word, n in zip(words[:40], rng.integers(1, 9, 40))}
    encoded = {word.encode(): n for word, n in counts.items()}
    theirs = naive_learn(encoded, [c.encode() for c in LETTERS], len(LETTERS) + 1)
    first = tuple(theirs.tokens[i].decode() for i in theirs.merges[0])
    ours = learn(counts, 12)
    assert ours[0] == first
    ids = {c: i for i, c in enumerate(LETTERS)}
    ranks = {}
    for rank, (left, right) in enumerate(ours):
        ids.setdefault(left + right, len(ids))
        ranks[ids[left], ids[right]] = (rank, ids[left + right])
    names = {i: name for name, i in ids.items()}
    for word in words:
        found = naive_merge([ids[c] for c in word], ranks)
        assert [names[i] for i in found] == encode(word, ours)


def test_longest_first_is_wordpiece():
    made, _ = language(np.random.default_rng(3))
    known = {"".join(pair) for pair in learn(dict.fromkeys(made, 1), 20)} | set("".join(made))
    names = ["[UNK]", *sorted(known), *(f"##{name}" for name in sorted(known))]
    cut = package.WordPiece({name: i for i, name in enumerate(names)})
    for word in made:
        found = [cut.tokens[i].removeprefix("##") for i in cut.encode(word)]
        assert found == longest_first(word, known)


def test_patches_are_those_of_the_package():
    images = np.random.default_rng(0).normal(size=(2, 6, 9, 5))
    assert (patches.cut(images, 3) == to_patches(images, 3)).all()


def test_the_fewest_tokens_are_no_more_than_the_merges_make():
    seen, new = pieces._drawn(np.random.default_rng(1))
    merges = learn(seen, pieces.COUNT)
    vocabulary = {"".join(pair) for pair in merges}
    assert all(pieces.fewest(w, vocabulary) <= len(encode(w, merges)) for w in new)
    assert pieces.fewest("abcde", {"abc", "bcde"}) == 2
    assert pieces.fewest("abcde", {"abc", "cd"}) == 3


@pytest.mark.parametrize(
    ("order", "needed"), [("highest first", [6, 6, 4, 2]), ("lowest first", [2, 3, 4, 2])]
)
def test_the_digits_that_decide(order, needed):
    assert [digits_needed(order, place) for place in range(4)] == needed


def test_the_words_of_the_pencil_are_those_of_its_check():
    text = MASTER.read_text("utf8")
    rows = re.findall(r"^# \| (\w+) \| (\d+) \|$", text, re.M)
    assert {word: int(n) for word, n in rows} == WORDS
    assert f"*{NEW}*" in text
