"""Grading by Otter on this machine, to the same sheet: ``otter run`` for each file."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from minitx.checks import Exercise

from .judge import as_data, without_answer

SECONDS = 900.0  # for one file: the judge inside has its own, shorter limits


def grade(
    files: dict[str, Path | None],
    exercises: dict[str, list[Exercise]],
    python: Path,
    teacher: Path,
) -> list[dict[str, Any]]:
    """The reports on one student's files; their messages are Otter's words."""
    reports = []
    for page, path in files.items():
        found = _run(path.absolute(), python, teacher, page) if path else {}
        why = "could not be judged: Otter could not run the file." if path else "was not handed in."
        for exercise in exercises[page]:
            report = as_data(exercise, without_answer(exercise, why))
            if exercise.name in found:
                test = found[exercise.name]
                report |= {"points": round(test["score"]), "message": test["output"]}
                report["questions"] = []
            reports.append(report)
    return reports


def _run(path: Path, python: Path, teacher: Path, page: str) -> dict[str, dict[str, Any]]:
    """{exercise: what Otter found}, nothing if it found nothing."""
    paths = [str((teacher / "kit").absolute()), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    package = str((teacher / "otter" / f"{page}.zip").absolute())
    with tempfile.TemporaryDirectory() as out:
        command = [str(python), "-m", "otter", "run", "--no-logo", "-a", package, "-o", out]
        try:
            subprocess.run(
                [*command, str(path)], cwd=out, env=env, capture_output=True, timeout=SECONDS
            )
            tests = json.loads(Path(out, "results.json").read_text("utf8"))["tests"]
        except (subprocess.TimeoutExpired, OSError, ValueError, KeyError):
            return {}
    return {test["name"]: test for test in tests if "score" in test}
