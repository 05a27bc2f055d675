"""Grade a folder of submissions: ``python -m grading INBOX``; see ``--help``."""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from minitx.checks import Exercise

from . import otter_run, sheet
from .frozen import changed
from .inbox import submissions
from .judge import Course, as_data, without_answer
from .remote import START, Limits

KIT = Path(__file__).parents[1]
Files = dict[str, Path | None]


def main() -> int:
    parser = argparse.ArgumentParser(prog="grading", description=__doc__)
    parser.add_argument("inbox", type=Path, help="a folder with a folder for each student")
    parser.add_argument("--course", type=Path, default=KIT.parent, help="the teacher's folder")
    parser.add_argument("--out", type=Path, help="where grades.csv and feedback/ go")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="students at once")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for one question")
    parser.add_argument("--inside", default="", help="command that runs grading.answers elsewhere")
    parser.add_argument("--otter", type=Path, help="a Python that has Otter: let Otter grade")
    args = parser.parse_args()
    try:
        course = Course.load(args.course)
        handed_in = submissions(args.inbox, course.pages)
    except FileNotFoundError as error:
        parser.error(str(error))
    for name in changed(args.course):
        print(f"changed since the course was frozen: {name}", file=sys.stderr)
    exercises = {page: course.exercises(page) for page in course.pages}
    how = ["--course", str(args.course), "--seconds", str(args.seconds), "--inside", args.inside]
    start = time.monotonic()

    def one(student: str) -> list[dict[str, Any]]:
        began = time.monotonic()
        files = handed_in[student]
        if args.otter:
            reports = otter_run.grade(files, exercises, args.otter.absolute(), args.course)
        else:
            reports = grade(files, exercises, how, args.seconds)
        points, total = sheet.totals(reports)
        seconds = time.monotonic() - began
        print(f"{student}: {points} of {total} points ({seconds:.1f} s)", flush=True)
        return reports

    with ThreadPoolExecutor(max(1, args.jobs)) as pool:
        graded = dict(zip(handed_in, pool.map(one, handed_in)))
    written = sheet.write(args.out or args.course / "grades", course.term, graded)
    print(f"{len(graded)} students in {time.monotonic() - start:.0f} s: {written}")
    return 0


def grade(
    files: Files, exercises: dict[str, list[Exercise]], how: list[str], seconds: float
) -> list[dict[str, Any]]:
    """The reports on one student's files, from a judge of its own."""
    asked = [f"{page}={path.absolute() if path else ''}" for page, path in files.items()]
    questions = sum(len(it.stages) for own in exercises.values() for it in own)
    starts = sum(len(own) + 1 for own in exercises.values()) * (START + Limits.reading)
    package = __package__ or "grading"
    top = Path(__file__).parents[len(package.split("."))]
    path = os.pathsep.join(filter(None, [str(top), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", f"{package}.judge", *how, *asked]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            timeout=questions * (seconds + 1) + starts,
        )
        lines, why = done.stdout, done.stderr.decode(errors="replace").strip()[-300:]
    except subprocess.TimeoutExpired as error:
        lines, why = error.stdout or b"", "it took too long"
    reports = {each["exercise"]: each for each in map(json.loads, lines.splitlines())}
    return [
        reports.get(it.name) or as_data(it, without_answer(it, f"could not be judged: {why}"))
        for own in exercises.values()
        for it in own
    ]


if __name__ == "__main__":
    raise SystemExit(main())
