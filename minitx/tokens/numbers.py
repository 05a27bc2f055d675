"""Numbers as tokens: their digits, in either order, padded to one width.

Slot: tokens. A transformer that reads "1207" as one token has to learn arithmetic by heart; digit
by digit it can learn the rule. With the lowest digit first, a sum can be written in the order in
which its carries arise.
"""

import numpy as np


def to_digits(numbers: np.ndarray, width: int, base: int = 10, reverse: bool = False) -> np.ndarray:
    """The ``width`` digits of each number, the highest first, or the lowest if ``reverse``.

    numbers (...) non-negative integers -> (..., width) int64. Raises ``ValueError`` for a number
    that is negative or has more digits.
    """
    numbers = np.asarray(numbers)
    if not np.issubdtype(numbers.dtype, np.integer):
        raise TypeError(f"to_digits expected integers, got {numbers.dtype}")
    if base < 2:
        raise ValueError(f"to_digits expected a base of 2 or more, got {base}")
    rest, digits = numbers.astype(np.int64), []
    for _ in range(width):
        rest, digit = np.divmod(rest, base)
        digits.append(digit)
    if rest.size and rest.any():  # what is left of a negative number is -1
        worst = numbers.flat[np.flatnonzero(rest)[0]]
        raise ValueError(f"to_digits expected 0 <= number < {base}**{width}, got {worst}")
    digits = digits if reverse else digits[::-1]
    return np.stack(digits, axis=-1) if digits else np.zeros((*numbers.shape, 0), np.int64)


def from_digits(digits: np.ndarray, base: int = 10, reverse: bool = False) -> np.ndarray:
    """The numbers that digits (..., width) stand for; the inverse of ``to_digits``."""
    digits = np.asarray(digits)
    if digits.size and (digits.min() < 0 or digits.max() >= base):
        raise ValueError(
            f"from_digits expected digits 0 to {base - 1}, got {digits.min()} to {digits.max()}"
        )
    if base ** digits.shape[-1] > 2**63:
        raise ValueError(f"{digits.shape[-1]} digits of base {base} do not fit into 64 bits")
    digits = digits if reverse else digits[..., ::-1]
    powers = base ** np.arange(digits.shape[-1], dtype=np.int64)
    return (digits * powers).sum(-1)


class NumberTokens:
    """A vocabulary for arithmetic: the digits, then signs such as "+" and "=", then the pad.

    ``ids["+"]`` is a sign's id, ``pad`` the padding's; digit ``k`` has the id ``k``.
    """

    def __init__(self, signs: str = "+=", base: int = 10):
        if len(set(signs)) != len(signs):
            raise ValueError(f"NumberTokens expected signs that differ, got {signs!r}")
        self.base = base
        self.ids = {sign: base + i for i, sign in enumerate(signs)}
        self.pad = base + len(signs)
        self.vocab_size = self.pad + 1

    def row(self, *parts: np.ndarray | str) -> np.ndarray:
        """Digits (B, w) and signs side by side: ``row(a, "+", b, "=")`` -> (B, T) int64."""
        arrays = [part for part in parts if not isinstance(part, str)]
        if not arrays:
            raise ValueError("row expected at least one array of digits, got signs alone")
        batch = len(arrays[0])
        columns = [np.full((batch, 1), self.ids[p]) if isinstance(p, str) else p for p in parts]
        return np.concatenate(columns, axis=1).astype(np.int64)  # (B, T)

    def padded(self, rows: list[np.ndarray], width: int) -> np.ndarray:
        """Rows of different lengths as one array (B, width), padded on the right."""
        out = np.full((len(rows), width), self.pad, dtype=np.int64)
        for i, row in enumerate(rows):
            if len(row) > width:
                raise ValueError(f"padded expected rows of at most {width} tokens, got {len(row)}")
            out[i, : len(row)] = row
        return out

    def text(self, ids: np.ndarray) -> str:
        """A row of ids as a person writes it; digits of 10 and more in brackets."""
        names = {id_: sign for sign, id_ in self.ids.items()} | {self.pad: "_"}
        digits = {k: str(k) if k < 10 else f"[{k}]" for k in range(self.base)}
        return "".join((digits | names)[int(id_)] for id_ in ids)
