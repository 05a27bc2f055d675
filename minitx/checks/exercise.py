"""An exercise and its check: a list of questions, from the simplest to the subtlest.

``Exercise`` is called with the reader's function. It returns one line of insight, or raises
``CheckFailed`` with a paragraph that says which question failed and what the likely mistake is.
``report`` gives the same as data, with the points of each question, for a progress line or a
grader. Random numbers of a question come from ``(seed, exercise, question)``: another seed is
another set of numbers for the same exercise.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitx.backend.threads import blas_threads
from minitx.checks.expect import Failure
from minitx.checks.guard import Guarded, ToDo, refusal
from minitx.checks.limits import TimeUp, memory_limit, time_limit

SECONDS, GIGABYTES = 5.0, 1.0  # for one question

Answer = Callable[..., Any]
Question = Callable[[Answer, np.random.Generator], str | None]


class CheckFailed(AssertionError):
    """An exercise is not right, or not done, yet; its message is a paragraph for the reader."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the paragraph, and no stack of calls."""
        return [str(self)]


class Insight(str):
    """A sentence that a notebook shows as it is, without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Stage:
    """One question of a check."""

    text: str
    ask: Question
    points: int
    hint: str


@dataclass(frozen=True)
class Report:
    """What a check found; ``outcomes`` has True, False or None (not asked) for each question."""

    exercise: str
    outcomes: tuple[bool | None, ...]
    points: int
    total: int
    message: str
    to_do: bool = False

    @property
    def passed(self) -> bool:
        return bool(self.outcomes) and all(self.outcomes)


@dataclass(eq=False)
class Exercise:
    """A check of one exercise; ``call`` is how its answer is called, as in ``"f(x, y)"``.

    ``kind`` is "by hand", "implement", "predict" or "open"; ``difficulty`` is 1, 2 or 3.
    """

    name: str
    title: str
    call: str
    kind: str
    difficulty: int
    minutes: int
    insight: str
    stages: list[Stage] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """The name of the function that the reader writes."""
        return self.call.partition("(")[0]

    @property
    def points(self) -> int:
        return sum(stage.points for stage in self.stages)

    def stage(self, text: str, points: int = 1, hint: str = "") -> Callable[[Question], Question]:
        """Add a question; ``hint`` follows the error if the reader's function raises in it."""

        def add(ask: Question) -> Question:
            self.stages.append(Stage(text, ask, points, hint))
            return ask

        return add

    def __call__(self, answer: Answer, seed: int = 0) -> Insight:
        """Check ``answer``: one line of insight. Raises ``CheckFailed``."""
        __tracebackhide__ = True  # pytest shows the paragraph, and not this function
        if _reading:  # a file is being read, and its exercises are checked one by one afterwards
            return Insight("")
        report = self.report(answer, seed)
        if not report.passed:
            raise CheckFailed(report.message)
        return Insight(report.message)

    def report(
        self, answer: Answer, seed: int = 0, seconds: float = SECONDS, every: bool = False
    ) -> Report:
        """Ask the questions until one fails; ``every`` asks the others too, for their points."""
        refused = refusal(answer, self.call)
        if refused:
            return self._report([False], f"{self.name} {refused}")
        outcomes, remarks, messages = [], [], []
        for i, stage in enumerate(self.stages):
            guarded = Guarded(answer, stage.hint)
            try:
                remark = _ask(stage, guarded, self._rng(seed, i), seconds)
                outcomes.append(True)
                remarks += [remark] if remark else []
            except ToDo:
                return self._report(outcomes, self._still_to_do(), to_do=True)
            except Failure as failure:
                outcomes.append(False)
                place = f"question {i + 1} of {len(self.stages)}, “{stage.text}”"
                messages.append(f"{self.name}, {place}: {_sentence(str(failure))}")
                if not every:
                    break
            if guarded.printed and not any("also prints" in remark for remark in remarks):
                remarks.append(f"(It also prints {guarded.printed.strip()[:40]!r}: not needed.)")
        success = " ".join(["Right.", self.insight, *remarks])
        return self._report(outcomes, messages[0] if messages else success)

    def _report(self, outcomes: list[bool], message: str, to_do: bool = False) -> Report:
        earned = sum(stage.points for stage, held in zip(self.stages, outcomes) if held)
        asked = (*outcomes, *[None] * (len(self.stages) - len(outcomes)))
        return Report(self.name, asked, earned, self.points, message, to_do)

    def _rng(self, seed: int, question: int) -> np.random.Generator:
        return np.random.default_rng([seed, zlib.crc32(self.name.encode()), question])

    def _still_to_do(self) -> str:
        return (
            f"{self.name} is still to be done: in `{self.call}`, write your own lines in place of "
            "`raise NotImplementedError`, run that cell, and check again."
        )

    def __str__(self) -> str:
        return self.name


def _ask(stage: Stage, answer: Guarded, rng: np.random.Generator, seconds: float) -> str | None:
    try:  # a question's products are small: on a busy machine, threads would wait for each other
        with blas_threads(1), memory_limit(GIGABYTES), time_limit(seconds):
            return stage.ask(answer, rng)
    except TimeUp:
        raise Failure(
            f"Your function was still running after {seconds:g} seconds, where a moment is enough: "
            "look for a loop that never ends."
        ) from None
    except (Failure, ToDo):
        raise
    except Exception as error:  # an array-like that no expectation foresaw
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise Failure(
            f"The check stumbled over what your function returned ({what}): return what the "
            "exercise asks for, as NumPy arrays."
        ) from error


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_reading: list[bool] = []


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """While a reader's file is read, the checks in its cells are passed over."""
    _reading.append(True)
    try:
        yield
    finally:
        _reading.pop()
