"""``python -m minitx.checks.child FILE SECONDS EXERCISE ...``: checks in a process of their own.

Writes a line of JSON about the file and one for each exercise. Whatever the reader's code does, at
worst this process must be ended, and the one that started it goes on.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from minitx.checks import find
from minitx.checks.exercise import Exercise, Report
from minitx.checks.reader import read
from minitx.errors import UserError


def main() -> None:
    """Check the exercises that are named."""
    path, seconds, names = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    with os.fdopen(os.dup(1), "w") as out:  # the file's own printing goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            defined, problem = read(path)
        except UserError as error:
            print(json.dumps({"unreadable": str(error)}), file=out, flush=True)
            return
        print(json.dumps({"problem": problem}), file=out, flush=True)
        for name in names:
            report = check(find(name)[0], defined, path, seconds)
            print(json.dumps(dataclasses.asdict(report)), file=out, flush=True)


def check(exercise: Exercise, defined: dict[str, Any], path: Path, seconds: float) -> Report:
    """The report on what a file defines for an exercise."""
    if exercise.answer in defined:
        return exercise.report(defined[exercise.answer], seconds=seconds)
    missing = f"{path.name} does not define {exercise.call}."
    return Report(exercise.name, (), 0, exercise.points, missing, to_do=True)


if __name__ == "__main__":
    main()
