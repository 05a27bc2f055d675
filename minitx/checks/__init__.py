"""The checks of the book's exercises: ``from minitx.checks.attention import check_attention``.

A chapter is a folder beside this file, with a file for each exercise, and says their order in
``EXERCISES``. The ``Exercise`` objects are the checks.
"""

import difflib
import importlib

from minitx.checks.exercise import CheckFailed, Exercise, Report
from minitx.checks.expect import Failure, expect, expect_array, expect_close

CHAPTERS = (
    "start",
    "arrays",
    "autograd",
    "training",
    "tokens",
    "attention",
    "positions",
    "block",
    "encoder",
    "decoder",
    "encoder_decoder",
    "looped",
    "programs",
    "linear",
    "delta",
)

__all__ = [
    "CHAPTERS",
    "CheckFailed",
    "Exercise",
    "Failure",
    "Report",
    "chapter",
    "exercises",
    "expect",
    "expect_array",
    "expect_close",
    "find",
]


def chapter(name: str) -> list[Exercise]:
    """The exercises of a chapter, in order."""
    return list(importlib.import_module(f"minitx.checks.{name}").EXERCISES)


def exercises() -> list[Exercise]:
    """Every exercise of the book, in order."""
    return [exercise for name in CHAPTERS for exercise in chapter(name)]


def find(name: str) -> list[Exercise]:
    """The exercises that a name means: a chapter, ``chapter/exercise``, or an exercise alone.

    Raises ``KeyError`` with names near to it.
    """
    if name in CHAPTERS:
        return chapter(name)
    known = {exercise.name: exercise for exercise in exercises()}
    alone = [exercise for key, exercise in known.items() if name in (key, key.split("/")[1])]
    if alone:
        return alone
    names = [*CHAPTERS, *known, *[key.split("/")[1] for key in known]]
    near = difflib.get_close_matches(name, names, n=3)
    raise KeyError(
        f"no chapter or exercise {name!r}; "
        + (f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}")
    )
