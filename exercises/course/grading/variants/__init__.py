"""Questions that a term adds: numbers and sizes drawn by its seed, the solution as the oracle.

A file for a page has ``VARIANTS``, a question ``ask(answer, solution, rng)`` for the exercises
that compute something. What is worked out by hand has one answer, and no variant.
"""

import copy
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_close

Rng = np.random.Generator
Ask = Callable[[Callable[..., Any], Callable[..., Any], Rng], None]


def variants(name: str) -> Ask | None:
    """The question that a term adds to the exercise ``page/exercise``; None if it adds none."""
    page, _, exercise = name.partition("/")
    if importlib.util.find_spec(f"{__name__}.{page}") is None:
        return None
    return importlib.import_module(f"{__name__}.{page}").VARIANTS.get(exercise)


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
