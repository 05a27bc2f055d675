"""Otter's autograders for a frozen course: a zip file a page, for a laptop, Docker or Gradescope.

    python -m grading.otter_zip TEACHER PYTHON

Otter's kernel never runs a student's code: a plugin hands the file to the judge, and the tests,
one a question, tell what the judge found. So the points are those of plain grading.
"""

import argparse
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from minitx.checks import Exercise

from .judge import Course

TEST = '''"""{name}: what the judge found, question by question."""

import json
from pathlib import Path

from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"


def asked(number):
    reports = map(json.loads, Path("../judged.jsonl").read_text("utf8").splitlines())
    report = next((it for it in reports if it["exercise"] == name), None)
    assert report, "this could not be judged: tell your teacher"
    assert report["questions"][number]["held"], report["message"]
'''
CASE = """

@test_case(name={text!r}, points={points})
def question_{number}():
    asked({number})
"""
START = """# Otter's image has no folders but files/ and tests/, and an empty file as metadata.
import sys
from pathlib import Path

sys.path.append("/autograder/source/files/teacher/kit")
known = Path("/autograder/submission_metadata.json")
known.read_text("utf8") or known.write_text("{}", "utf8")

"""


def test_file(exercise: Exercise) -> str:
    """The source of Otter's test of one exercise: a case with its points for each question."""
    cases = [
        CASE.format(text=f"{number + 1}. {stage.text}", points=stage.points, number=number)
        for number, stage in enumerate(exercise.stages)
    ]
    return "".join([TEST.format(name=exercise.name), *cases])


def make(teacher: Path, python: Path) -> None:
    """Write ``otter/<page>.zip`` into the teacher's folder; ``python`` is one that has Otter."""
    course = Course.load(teacher)
    for page in course.pages:
        _make_one(course, page, python.absolute())


def _make_one(course: Course, page: str, python: Path) -> None:
    work = course.folder / "otter" / page
    (work / "tests").mkdir(parents=True)
    for exercise in course.exercises(page):
        name = exercise.name.partition("/")[2]
        (work / "tests" / f"{name}.py").write_text(test_file(exercise), "utf8")
    kept = work / "teacher"
    shutil.copytree(course.folder / "kit", kept / "kit")
    (kept / "solutions").mkdir()
    shutil.copy(course.folder / "solutions" / f"{page}.py", kept / "solutions")
    known = {"term": course.term, "pages": [page], "seed": course.seed}
    (kept / "assignment.json").write_text(json.dumps(known), "utf8")
    (work / "requirements.txt").write_text("numpy>=2.0\n", "utf8")
    plugin = {"grading.plugin.Judged": {"page": page}}
    config = {"plugins": [plugin], "show_all_public": True, "print_summary": False}
    (work / "otter_config.json").write_text(json.dumps(config), "utf8")
    env = os.environ | {"PYTHONPATH": str(course.folder / "kit")}
    command = [str(python), "-m", "otter", "generate", "-o", f"../{page}.zip", "teacher"]
    done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"otter generate failed: {done.stderr[-500:]}")
    _start_by_finding_the_plugin(work.with_suffix(".zip"))
    shutil.rmtree(work)


def _start_by_finding_the_plugin(package: Path) -> None:
    """Let Otter's script find the plugin, in the one folder that every container has."""
    with zipfile.ZipFile(package) as packed:
        held = [(info, packed.read(info)) for info in packed.infolist()]
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as packed:
        for info, data in held:
            first = START.encode() if info.filename == "run_otter.py" else b""
            packed.writestr(info, first + data)


def main() -> None:
    parser = argparse.ArgumentParser(description=make.__doc__)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("python", type=Path)
    args = parser.parse_args()
    make(args.teacher, args.python)


if __name__ == "__main__":
    main()
