"""Tasks made by rule: what a small transformer can learn in seconds, with the right answer known.

Each task draws sequences of ids. A model reads ``inputs`` (B, T) and is asked at place t for
``targets[:, t]``, the token that comes next; ``mask`` says which places are asked. Everything
random comes from ``rng``.
"""

from typing import Protocol

import numpy as np

from minitx.data.batch import Batch, next_token
from minitx.tokens.numbers import NumberTokens, to_digits

Generator = np.random.Generator


class Task(Protocol):
    """Something to learn from samples: ids below ``vocab_size`` in sequences of ``length``."""

    vocab_size: int
    length: int

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        """A fresh batch."""
        ...


def _check(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} expected 1 or more, got {size}")


class Copy:
    """``x_1 ... x_n | x_1 ... x_n``: say it again. The sign ``|`` has the id ``num_symbols``."""

    def __init__(self, num_symbols: int, num_items: int):
        _check(num_symbols=num_symbols, num_items=num_items)
        self.num_symbols, self.num_items = num_symbols, num_items
        self.vocab_size, self.length = num_symbols + 1, 2 * num_items

    def answer(self, x: np.ndarray) -> np.ndarray:
        """What follows the sign, for x (B, n)."""
        return x

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        x = rng.integers(self.num_symbols, size=(batch_size, self.num_items))
        sign = np.full((batch_size, 1), self.num_symbols)
        return next_token(np.concatenate([x, sign, self.answer(x)], axis=1), self.num_items)


class Reverse(Copy):
    """``x_1 ... x_n | x_n ... x_1``: say it backwards."""

    def answer(self, x: np.ndarray) -> np.ndarray:
        return x[:, ::-1]


class Sort(Copy):
    """``x_1 ... x_n |`` and then the same in rising order."""

    def answer(self, x: np.ndarray) -> np.ndarray:
        return np.sort(x, axis=1)


class Parity:
    """Bits; after each one, whether the ones so far are odd. Every place is asked.

    With ``last_only`` the answer counts at the end alone.
    """

    def __init__(self, num_bits: int, last_only: bool = False):
        _check(num_bits=num_bits)
        self.vocab_size, self.length, self.last_only = 2, num_bits, last_only

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        bits = rng.integers(2, size=(batch_size, self.length))
        mask = np.full(bits.shape, not self.last_only)
        mask[:, -1] = True
        return Batch(bits, np.cumsum(bits, axis=1) % 2, mask)


class Addition:
    """``a + b = c`` in digits, c asked for; lowest digit first unless ``reverse`` is False.

    a and b have ``num_digits`` digits each (leading zeros are written), c has one more.
    """

    def __init__(self, num_digits: int, base: int = 10, reverse: bool = True):
        _check(num_digits=num_digits)
        self.tokens = NumberTokens("+=", base)
        self.num_digits, self.base, self.reverse = num_digits, base, reverse
        self.vocab_size, self.length = self.tokens.vocab_size, 3 * num_digits + 2

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        digits = rng.integers(self.base, size=(2, batch_size, self.num_digits))
        return self._written(*digits)

    def written(self, a: np.ndarray, b: np.ndarray) -> Batch:
        """The batch of given sums a + b, each (B,)."""
        return self._written(*(to_digits(x, self.num_digits, self.base, True) for x in (a, b)))

    def _written(self, a: np.ndarray, b: np.ndarray) -> Batch:
        """From digits (B, n), the lowest first, added as at school: numbers of any length."""
        columns, carry = [], np.zeros(len(a), np.int64)
        for place in range(self.num_digits):
            carry, digit = np.divmod(a[:, place] + b[:, place] + carry, self.base)
            columns.append(digit)
        parts = [a, b, np.stack([*columns, carry], axis=1)]
        a, b, c = parts if self.reverse else [part[:, ::-1] for part in parts]
        return next_token(self.tokens.row(a, "+", b, "=", c), self.num_digits + 1)


class Recall:
    """``k_1 v_1 ... k_n v_n k_i``: which value came with this key?

    Keys differ within a sequence and have the ids below ``num_keys``; values come after them. With
    ``distance`` it is always the pair so many places from the end that is asked for (1 is the
    last pair); without, any.
    """

    def __init__(self, num_keys: int, num_values: int, num_pairs: int, distance: int | None = None):
        _check(num_keys=num_keys, num_values=num_values, num_pairs=num_pairs)
        if num_pairs > num_keys:
            raise ValueError(f"{num_pairs} different keys expected as many, got {num_keys}")
        if distance is not None and not 1 <= distance <= num_pairs:
            raise ValueError(f"distance expected 1 to {num_pairs}, got {distance}")
        self.num_keys, self.num_values = num_keys, num_values
        self.num_pairs, self.distance = num_pairs, distance
        self.vocab_size, self.length = num_keys + num_values, 2 * num_pairs + 1

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        keys = _distinct(self.num_keys, self.num_pairs, batch_size, rng)  # (B, n)
        values = self.num_keys + rng.integers(self.num_values, size=keys.shape)
        if self.distance is None:
            place = rng.integers(self.num_pairs, size=(batch_size, 1))
        else:
            place = np.full((batch_size, 1), self.num_pairs - self.distance)
        pairs = np.stack([keys, values], axis=-1).reshape(batch_size, -1)  # (B, 2n)
        asked = [np.take_along_axis(part, place, axis=1) for part in (keys, values)]
        return next_token(np.concatenate([pairs, *asked], axis=1), 1)


class MultiQueryRecall:
    """Pairs are written, then several keys are asked for, each answered by its latest value.

    ``k v k v ... | k v k v``: ``num_writes`` pairs over ``num_keys`` keys, so that a key may be
    written again and its old value must be forgotten; then ``num_queries`` different keys of
    those written (as many as there are, if fewer: the rest repeat). With as many writes as
    different keys wanted and ``overwrite`` False, no key is written twice.

    Source: Arora et al. 2023, "Zoology" (multi-query associative recall); overwriting is ours.
    """

    def __init__(
        self,
        num_keys: int,
        num_values: int,
        num_writes: int,
        num_queries: int,
        overwrite: bool = True,
    ):
        sizes = {"num_keys": num_keys, "num_values": num_values, "num_writes": num_writes}
        _check(**sizes, num_queries=num_queries)
        if not overwrite and num_writes > num_keys:
            raise ValueError(f"{num_writes} different keys expected as many, got {num_keys}")
        self.num_keys, self.num_values = num_keys, num_values
        self.num_writes, self.num_queries, self.overwrite = num_writes, num_queries, overwrite
        self.vocab_size = num_keys + num_values + 1
        self.length = 2 * (num_writes + num_queries)

    def sample(self, batch_size: int, rng: Generator) -> Batch:
        shape = (batch_size, self.num_writes)
        if self.overwrite:
            keys = rng.integers(self.num_keys, size=shape)
        else:
            keys = _distinct(self.num_keys, self.num_writes, batch_size, rng)
        values = self.num_keys + rng.integers(self.num_values, size=shape)
        latest = np.full((batch_size, self.num_keys), -1)
        for step in range(self.num_writes):  # in order, so that the last write stays
            np.put_along_axis(latest, keys[:, step, None], values[:, step, None], axis=1)
        asked = self._queries(latest, rng)  # (B, q)
        answers = np.take_along_axis(latest, asked, axis=1)
        return self._written(keys, values, asked, answers)

    def _queries(self, latest: np.ndarray, rng: Generator) -> np.ndarray:
        """Keys that were written, in random order, round and round until there are enough."""
        order = rng.random(latest.shape)
        order[latest < 0] = 2  # after every written key
        order = order.argsort(axis=1)  # (B, K), the written keys first
        written = (latest >= 0).sum(axis=1, keepdims=True)  # (B, 1)
        return np.take_along_axis(order, np.arange(self.num_queries) % written, axis=1)

    def _written(self, keys, values, asked, answers) -> Batch:
        batch_size = len(keys)
        writes = np.stack([keys, values], axis=-1).reshape(batch_size, -1)
        queries = np.stack([asked, answers], axis=-1).reshape(batch_size, -1)
        sign = np.full((batch_size, 1), self.vocab_size - 1)
        batch = next_token(np.concatenate([writes, sign, queries], axis=1), queries.shape[1])
        batch.mask[:, -queries.shape[1] :: 2] = False  # the keys asked for are no answers
        return batch


def _distinct(high: int, count: int, batch_size: int, rng: Generator) -> np.ndarray:
    """``count`` different ids below ``high`` in each row, in random order: (B, count)."""
    return rng.permuted(np.tile(np.arange(high), (batch_size, 1)), axis=1)[:, :count]
