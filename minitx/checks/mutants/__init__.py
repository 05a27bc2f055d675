"""Plausible mistakes, a chapter a file: each must fail its check, with a message of its own.

They test the checks as checks test answers, and serve a page's "Break it".
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minitx.checks.exercise import Exercise

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """A wrong ``answer`` to an exercise, and a part of the message that must say so."""

    exercise: Exercise
    says: str
    answer: Answer

    def __str__(self) -> str:
        return f"{self.exercise.name}-{self.answer.__name__}"


def mutant(exercise: Exercise, says: str) -> Callable[[Answer], Answer]:
    """Mark a function as a mistake that ``exercise`` must catch with a message holding ``says``."""

    def mark(answer: Answer) -> Answer:
        answer.mutant = Mutant(exercise, says, answer)  # type: ignore[attr-defined]
        return answer

    return mark


def mutants(chapter: str) -> list[Mutant]:
    """The mistakes that are listed for a chapter."""
    found = vars(importlib.import_module(f"minitx.checks.mutants.{chapter}")).values()
    return [item.mutant for item in found if hasattr(item, "mutant")]
