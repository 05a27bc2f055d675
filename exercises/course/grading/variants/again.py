"""Questions that a term asks again, with other numbers: what is worked out by hand, or predicted.

``make course`` writes the text into the notebook and the answer into the solutions, so that the
judge compares what a student returns with what the solution returns.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitx.checks.expect import describe, expect, same

Numbers = tuple[Any, ...]
TRIES = 100


@dataclass(frozen=True)
class Again:
    """A question in the numbers that ``draw`` draws; ``book`` are those that the book asks with.

    ``text`` is the whole question in Markdown, ``answer`` computes what a right answer returns.
    """

    draw: Callable[[np.random.Generator], Numbers]
    text: Callable[..., str]
    answer: Callable[..., Any]
    book: Numbers

    def numbers(self, name: str, seed: int) -> Numbers:
        """The numbers of a term for the exercise ``name``: the book's answer is wrong for them."""
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        known = self.answer(*self.book)
        for _ in range(TRIES):
            numbers = self.draw(rng)
            if not alike(self.answer(*numbers), known):
                return numbers
        raise ValueError(f"{name}: {TRIES} draws, and the answer was the book's each time")


def compare(got: Any, want: Any) -> None:
    """Fail, without telling the answer, unless ``got`` is what the numbers of the term give."""
    shown = repr(got)[:90] if isinstance(got, str | int | float | tuple | list) else describe(got)
    near = "It is nearly right: write fractions, as in 1/3, instead of rounding. "
    expect(
        alike(got, want),
        f"Your function returned {shown}. {near if alike(got, want, 0.01) else ''}"
        "Expected what the numbers of this term give, in the order and form that the text says.",
    )


def alike(got: Any, want: Any, off: float = 0.0) -> bool:
    """Words exactly, numbers up to rounding (or up to ``off``), lists and tuples one by one."""
    if isinstance(want, str | bool):
        return isinstance(got, str | bool | np.bool_) and bool(got == want)
    if isinstance(want, list | tuple | np.ndarray):
        several = got.ndim > 0 if isinstance(got, np.ndarray) else isinstance(got, list | tuple)
        parts = zip(got, want) if several and len(got) == len(want) else [(None, 0)]
        return all(alike(part, wanted, off) for part, wanted in parts)
    near = off and isinstance(got, int | float) and abs(got - want) < off
    return bool(near) or same(got, want)
