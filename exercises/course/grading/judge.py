"""Asks the questions of the checks, with the numbers of a term: ``python -m grading.judge``.

One process for one student, so that nothing that happens to it touches another. The checks run
here, the student's code does not: its functions are called over a line (``remote``).
"""

import argparse
import contextlib
import dataclasses
import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitx.checks import Exercise, Report, chapter
from minitx.checks.exercise import Answer, Stage
from minitx.checks.reader import read

from .remote import Limits, Submission
from .variants import Again, variants
from .variants.again import compare

POINTS = 2  # of the question that a term adds to an exercise


@dataclasses.dataclass(frozen=True)
class Course:
    """What was set: ``assignment.json`` in the teacher's folder, and the solutions beside it."""

    folder: Path
    term: str
    pages: list[str]
    seed: int

    @classmethod
    def load(cls, folder: Path) -> "Course":
        known = json.loads((folder / "assignment.json").read_text("utf8"))
        return cls(folder, known["term"], known["pages"], known["seed"])

    def exercises(self, page: str) -> list[Exercise]:
        """The exercises of a page, with the questions that the term adds."""
        with contextlib.redirect_stdout(io.StringIO()):  # a cell may print its table
            solutions, problem = read(self.folder / "solutions" / f"{page}.py")
        if problem:
            raise RuntimeError(f"the solutions of {page}: {problem}")
        return [each for it in chapter(page) for each in with_variant(it, solutions)]


def with_variant(exercise: Exercise, solutions: dict[str, Any]) -> list[Exercise]:
    """The exercise with one question more, or with a second exercise: the same in other numbers."""
    added = variants(exercise.name)
    if added is None:
        return [exercise]
    if isinstance(added, Again):
        return [exercise, asked_again(exercise, solutions[f"{exercise.answer}_again"]())]

    def question(answer: Answer, rng: Any) -> None:
        added(answer, solutions[exercise.answer], rng)

    more = Stage("With the numbers and sizes of this term", question, POINTS, "")
    return [dataclasses.replace(exercise, stages=[*exercise.stages, more])]


def asked_again(exercise: Exercise, want: Any) -> Exercise:
    """The exercise in the numbers of this term: one question, and the answer is ``want``."""
    again = dataclasses.replace(
        exercise,
        name=f"{exercise.name}_again",
        title=f"{exercise.title} (this term)",
        call=f"{exercise.answer}_again()",
        insight="Your own numbers, too.",
        stages=[],
    )

    @again.stage("In the numbers of this term", POINTS)
    def question(answer: Answer, rng: Any) -> None:
        compare(answer(), want)

    return again


def judge(course: Course, page: str, path: Path | None, limits: Limits) -> Iterator[dict[str, Any]]:
    """A report on each exercise of a page, as data; ``path`` is None if nothing was handed in."""
    exercises = course.exercises(page)
    if path is None:
        for exercise in exercises:
            yield as_data(exercise, without_answer(exercise, "was not handed in."))
        return
    with Submission(path, [exercise.answer for exercise in exercises], limits) as submission:
        for exercise in exercises:
            answer = submission.answer(exercise.answer)
            if answer is None:
                why = submission.problem or f"{path.name} does not define {exercise.call}."
                yield as_data(exercise, without_answer(exercise, f"was not found: {why}"))
                continue
            report = exercise.report(answer, course.seed, limits.seconds, every=True)
            yield as_data(exercise, report)


def without_answer(exercise: Exercise, why: str) -> Report:
    """No points, because there was nothing to ask."""
    none = (None,) * len(exercise.stages)
    return Report(exercise.name, none, 0, exercise.points, f"{exercise.name} {why}", to_do=True)


def as_data(exercise: Exercise, report: Report) -> dict[str, Any]:
    """A report as JSON, with the text and the points of each question."""
    questions = [
        {"text": stage.text, "points": stage.points, "held": held}
        for stage, held in zip(exercise.stages, report.outcomes)
    ]
    return {
        "exercise": exercise.name,
        "title": exercise.title,
        "points": report.points,
        "total": report.total,
        "message": report.message,
        "questions": questions,
    }


def main() -> None:
    """A line of JSON for each exercise; ``PAGE=`` alone means that nothing was handed in."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="+", metavar="PAGE=FILE")
    parser.add_argument("--course", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=Limits.seconds)
    parser.add_argument("--inside", default="")
    args = parser.parse_args()
    course = Course.load(args.course)
    limits = Limits(args.seconds, inside=tuple(shlex.split(args.inside)))
    out, sys.stdout = sys.stdout, sys.stderr  # nothing but reports on the line
    for page, _, name in (each.partition("=") for each in args.files):
        for report in judge(course, page, Path(name) if name else None, limits):
            print(json.dumps(report), file=out, flush=True)


if __name__ == "__main__":
    main()
