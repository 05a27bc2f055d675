"""What the numbers of a column mean: the words in which a machine's weights are written.

A token of the machine is a column of numbers, cut into fields. Bits are -1 and +1, the lowest
first, so that two addresses agree in ``code . code'`` = (bits alike) - (bits that differ).
"""

from typing import Any

import numpy as np


class Layout:
    """The fields of a column: ``address_bits`` a make n = 2^a columns, ``word_bits`` an integer.

    In every column: its own address (code; zeros in the scratchpad), two marks (scratch, memory),
    a word of memory, an instruction of three addresses. In the scratchpad alone: the program
    counter, the fetched a, b, c, the words x = mem[a] and y = mem[b], their difference y - x, the
    flag y - x <= 0, the next address pc + 1. For storing: the new word.

    Raises ValueError for fewer than two bits.
    """

    def __init__(self, address_bits: int = 6, word_bits: int = 8):
        if min(address_bits, word_bits) < 2:
            raise ValueError(f"Layout expected two bits or more, got {address_bits}, {word_bits}")
        self.address_bits, self.word_bits, self.columns = address_bits, word_bits, 2**address_bits
        a, w = address_bits, word_bits
        sizes = {
            "code": a, "scratch": 1, "memory": 1, "word": w, "instruction": 3 * a,
            "pc": a, "a": a, "b": a, "c": a, "x": w, "y": w, "difference": w, "flag": 1, "next": a,
            "new": w,
        }  # fmt: skip
        ends = np.cumsum(list(sizes.values()))
        self._fields = {k: slice(int(e) - n, int(e)) for (k, n), e in zip(sizes.items(), ends)}
        self.width = int(ends[-1])

    def __getitem__(self, field: str) -> slice:
        """Where a field stands in a column."""
        if field not in self._fields:
            raise KeyError(f"no field {field!r}; there are {', '.join(self._fields)}")
        return self._fields[field]

    def rows(self, *fields: str) -> np.ndarray:
        """The matrix (k, D) that reads these fields off a column, one number a row."""
        return np.concatenate([np.eye(self.width)[self[field]] for field in fields])


def to_bits(values: Any, bits: int) -> np.ndarray:
    """Integers (...) as bits of -1 and +1, (..., bits), lowest first; negative ones wrap round."""
    return 2.0 * (np.asarray(values)[..., None] >> np.arange(bits) & 1) - 1


def from_bits(signs: Any, signed: bool = False) -> np.ndarray:
    """The integers (...) of bits (..., bits): a number above 0 is a 1; two's complement."""
    powers = 2 ** np.arange(np.shape(signs)[-1])
    if signed:
        powers[-1] *= -1
    return (np.asarray(signs) > 0) @ powers
