"""Questions that a term adds: numbers and sizes drawn by its seed, the solution as the oracle.

A file for a page has ``VARIANTS``: a question ``ask(answer, solution, rng)`` for each exercise that
computes something, and ``Again(draw, text, answer, book)`` for what is worked out or predicted.
A file of that name in ``own`` has questions that take the place of these.
"""

import copy
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_close

from .again import Again as Again

Rng = np.random.Generator
Ask = Callable[[Callable[..., Any], Callable[..., Any], Rng], None]


def variants(name: str) -> Ask | Again | None:
    """What a term adds to the exercise ``page/exercise``; None if it adds nothing."""
    page, _, exercise = name.partition("/")
    known: dict[str, Ask | Again] = {}
    for place in (f"{__name__}.{page}", f"{__name__}.own.{page}"):
        if importlib.util.find_spec(place):
            known |= importlib.import_module(place).VARIANTS
    return known.get(exercise)


def as_the_solution(draw: Callable[[Rng], Sequence[Any]]) -> Ask:
    """The answer to what ``draw`` draws must be that of the solution."""

    def ask(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
        for _ in range(3):
            arguments = draw(rng)
            kept = copy.deepcopy(arguments)
            told = ", ".join(map(shown, arguments))
            message = f"With arguments {told} it is not what the definition gives."
            _alike(answer(*arguments), solution(*kept), message)

    return ask


def _alike(got: Any, want: Any, message: str) -> None:
    """Numbers up to rounding, all else exactly; a tuple or a list of arrays one by one."""
    if isinstance(want, list | tuple) and any(isinstance(part, np.ndarray) for part in want):
        expect(isinstance(got, list | tuple) and len(got) == len(want), message)
        for part, wanted in zip(got, want):
            _alike(part, wanted, message)
    elif isinstance(want, np.ndarray | np.generic) and want.dtype.kind == "f":
        expect_close(got, want, message)
    elif isinstance(want, list | float) and not any(isinstance(it, str) for it in np.ravel(want)):
        expect_close(got, want, message, lists=True)
    else:
        expect(np.array_equal(got, want), message)


def shown(argument: Any) -> str:
    """An argument in a few words: its shape, its length, or itself."""
    if callable(argument):
        return "a function"
    if isinstance(argument, list):
        return f"a list of {len(argument)}"
    return str(argument.shape if isinstance(argument, np.ndarray) else argument)


def sizes(rng: Rng, count: int, least: int = 2, most: int = 11) -> list[int]:
    """Sizes that are pairwise different, so that no swapped axis hides."""
    return [int(n) for n in rng.permutation(np.arange(least, most))[:count]]
