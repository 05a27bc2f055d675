"""Byte pair encoding on ids: learning merges from words, and applying them to one word.

Slot: tokens. The most frequent pair of neighbours becomes a token, again and again; to encode is to
make the same merges in the order in which they were learned. Each of the two has a ``naive_`` twin
that follows the definition, and a faster form that gives the same result.

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units".
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

Pair = tuple[int, int]
Merges = Mapping[Pair, tuple[int, int]]  # pair -> (rank, id of what it becomes)


def naive_merge(word: Sequence[int], merges: Merges) -> list[int]:
    """One word after all merges: look for the earliest-learned pair, leftmost first; repeat."""
    ids = list(word)
    while True:
        found = [(merges[p][0], i) for i, p in enumerate(pairwise(ids)) if p in merges]
        if not found:
            return ids
        _, i = min(found)
        ids[i : i + 2] = [merges[ids[i], ids[i + 1]][1]]


def merge(word: Sequence[int], merges: Merges) -> list[int]:
    """The same as ``naive_merge`` in O(T log T): a heap of pairs over a linked list."""
    ids: list[int | None] = list(word)
    size = len(ids)
    before, after = list(range(-1, size - 1)), list(range(1, size + 1))
    heap = [(merges[p][0], i, p) for i, p in enumerate(pairwise(word)) if p in merges]
    heapify(heap)
    while heap:
        _, i, pair = heappop(heap)
        j = after[i]
        if j >= size or (ids[i], ids[j]) != pair:
            continue  # one of the two has been merged since
        ids[i], ids[j] = merges[pair][1], None
        after[i] = after[j]
        if after[j] < size:
            before[after[j]] = i
        for left in (before[i], i):
            if left >= 0 and after[left] < size:
                new = (ids[left], ids[after[left]])
                if new in merges:
                    heappush(heap, (merges[new][0], left, new))
    return [id_ for id_ in ids if id_ is not None]


class Learned:
    """The tokens and merges found so far: ``tokens[id]`` is its bytes."""

    def __init__(self, tokens: Sequence[bytes]):
        self.tokens = list(tokens)
        self.ids = {token: id_ for id_, token in enumerate(self.tokens)}
        self.merges: list[Pair] = []

    def add(self, pair: Pair) -> int:
        """The id of the merged pair: a new one, unless the same bytes are a token already."""
        token = self.tokens[pair[0]] + self.tokens[pair[1]]
        if token not in self.ids:
            self.ids[token] = len(self.tokens)
            self.tokens.append(token)
        self.merges.append(pair)
        return self.ids[token]


def _replace(word: list[int], pair: Pair, new: int) -> list[int]:
    """``word`` with every occurrence of ``pair``, from the left, replaced by ``new``."""
    out, i = [], 0
    while i < len(word):
        both = i + 1 < len(word) and (word[i], word[i + 1]) == pair
        out.append(new if both else word[i])
        i += 2 if both else 1
    return out


def naive_learn(words: Mapping[bytes, int], tokens: Sequence[bytes], size: int) -> Learned:
    """Merges until there are ``size`` tokens: count all pairs, merge the most frequent; repeat.

    ``words`` maps each word to how often it occurs. Of equally frequent pairs the one with the
    smaller ids is taken. It ends early when no pair is left.
    """
    learned = Learned(tokens)
    corpus = [([learned.ids[bytes([b])] for b in word], n) for word, n in words.items()]
    while len(learned.tokens) < size:
        counts: Counter[Pair] = Counter()
        for word, n in corpus:
            for pair in pairwise(word):
                counts[pair] += n
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = learned.add(best)
        corpus = [(_replace(word, best, new), n) for word, n in corpus]
    return learned


def learn(words: Mapping[bytes, int], tokens: Sequence[bytes], size: int) -> Learned:
    """The same as ``naive_learn``, recounting only the words that the last merge changed."""
    learned = Learned(tokens)
    corpus = [([learned.ids[bytes([b])] for b in word], n) for word, n in words.items()]
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (word, n) in enumerate(corpus):
        for pair in pairwise(word):
            counts[pair] += n
            where[pair].add(index)
    heap = [(-n, pair) for pair, n in counts.items()]
    heapify(heap)
    while heap and len(learned.tokens) < size:
        negative, best = heappop(heap)
        if counts[best] != -negative:
            continue  # an old count; the present one was pushed when it changed
        new = learned.add(best)
        changed = set()
        for index in where.pop(best):
            word, n = corpus[index]
            merged = _replace(word, best, new)
            corpus[index] = (merged, n)
            for pair in pairwise(word):
                counts[pair] -= n
                changed.add(pair)
            for pair in pairwise(merged):
                counts[pair] += n
                where[pair].add(index)
                changed.add(pair)
        for pair in changed - {best}:
            if counts[pair] > 0:
                heappush(heap, (-counts[pair], pair))
    return learned
