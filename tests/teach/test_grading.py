"""Made submissions, graded from end to end: what each deserves, whatever the others do.

The first test is fast and in every run; the others are run by `make test-course`.
"""

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from exercises.course import make
from exercises.course.grading.remote import Limits, Submission
from minitx.checks import CHAPTERS, chapter
from minitx.checks.mutants import mutants
from tests.teach import made

OTTER = make.ROOT / ".venv-otter/bin/python"
SOURCE = re.compile(r" \((line \d+: )?`.*?`\)")
heavy = pytest.mark.course


def fill(inbox, work):
    for student, (name, content, _) in work.items():
        (inbox / student).mkdir(parents=True)
        content = content if isinstance(content, bytes) else content.encode()
        (inbox / student / name).write_bytes(content)
    return inbox


def grade(teacher, inbox, out, *more):
    """{student: {column: text}}, as the teacher's command leaves it."""
    env = os.environ | {"PYTHONPATH": str(teacher / "kit")}
    command = [sys.executable, "-P", "-m", "grading", str(inbox), "--out", str(out), *more]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with (out / "grades.csv").open(encoding="utf8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def work(course, solutions):
    right = (course / "teacher/solutions/attention.py").read_text("utf8")
    return made.submissions(right, (course / "student/attention.py").read_text("utf8"), solutions)


def test_right_partly_right_and_a_check_overwritten(course, work, tmp_path):
    few = {name: work[name] for name in ("right", "partly", "overwritten")}
    rows = grade(course / "teacher", fill(tmp_path / "inbox", few), tmp_path / "out")
    assert {name: int(row["total"]) for name, row in rows.items()} == {
        name: points for name, (_, _, points) in few.items()
    }
    page = (tmp_path / "out/feedback/partly.html").read_text("utf8")
    assert f"{work['partly'][2]} of {made.FULL} points" in page
    assert "k.T turns all of them round" in page
    assert "attention/heads is still to be done" in page


def test_an_inbox_that_is_not_there_is_said_in_a_sentence(course, tmp_path):
    env = os.environ | {"PYTHONPATH": str(course / "teacher/kit")}
    command = [sys.executable, "-P", "-m", "grading", str(tmp_path / "none")]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "expected a folder with a folder for each student" in done.stderr


@heavy
def test_each_made_submission_earns_what_it_deserves(course, work, tmp_path):
    began = time.monotonic()
    inbox = fill(tmp_path / "inbox", work)
    (inbox / "nothing").mkdir()
    rows = grade(course / "teacher", inbox, tmp_path / "out", "--jobs", "2")
    assert time.monotonic() - began < 180
    wanted = {name: points for name, (_, _, points) in work.items() if points is not None}
    wanted["nothing"] = 0
    assert {name: int(rows[name]["total"]) for name in wanted} == wanted
    for name, bad in (("loop", "attention"), ("huge", "masks"), ("leaves", "heads")):
        others = {key: points for key, points in made.POINTS.items() if key != bad}
        assert {key: int(rows[name][f"attention/{key}"]) for key in others} == others
    assert rows["loop"]["remarks"] == "had to be stopped: attention/attention"
    assert rows["huge"]["remarks"] == "too much memory: attention/masks"
    assert rows["leaves"]["remarks"] == "ended Python: attention/heads"
    assert "not handed in" in rows["nothing"]["remarks"]
    page = (tmp_path / "out/feedback/syntax.html").read_text("utf8")
    assert "attention.py is not valid Python" in page


@heavy
def test_stored_answers_are_right_for_the_reader_and_earn_nothing_by_another_seed(
    course, work, tmp_path
):
    rows = grade(
        course / "teacher", fill(tmp_path / "inbox", {"eve": work["stored"]}), tmp_path / "out"
    )
    points = {key: int(rows["eve"][f"attention/{key}"]) for key in made.POINTS}
    assert points["attention"] == points["masks"] == points["heads"] == 0
    assert points["by_hand_again"] == points["prediction_again"] == 0
    # The lengths 2, 7 and 97 of this check are fixed: the term's other lengths tell.
    assert points["previous_token"] == made.POINTS["previous_token"] - 2
    assert points["by_hand"] == made.POINTS["by_hand"]


@heavy
def test_forty_submissions_of_a_page_in_five_minutes(course, work, tmp_path, capsys):
    kinds = ["right", "partly", "wrong", "stub", "stored", "overwritten", "loop", "huge"]
    forty = {f"{number:02d}": work[kinds[number % len(kinds)]] for number in range(40)}
    began = time.monotonic()
    rows = grade(course / "teacher", fill(tmp_path / "in", forty), tmp_path / "out", "--jobs", "2")
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n40 submissions, 5 of them endless, in {seconds:.0f} s")
    assert len(rows) == 40
    assert {int(rows[f"{n:02d}"]["total"]) for n in range(0, 40, 8)} == {made.FULL}
    assert seconds < 300


@heavy
def test_every_page_can_be_set_and_its_solutions_earn_all_points(tmp_path):
    command = [sys.executable, "-m", "exercises.course", *CHAPTERS, "--term", "all"]
    subprocess.run([*command, "--out", str(tmp_path)], cwd=make.ROOT, check=True)
    teacher = tmp_path / "all/teacher"
    inbox = tmp_path / "inbox"
    shutil.copytree(teacher / "solutions", inbox / "right")
    shutil.copytree(tmp_path / "all/student", inbox / "stubs")
    rows = grade(teacher, inbox, tmp_path / "out", "--jobs", "2")
    assert rows["right"]["total"] == rows["right"]["out of"]
    assert int(rows["right"]["total"]) > 5 * len(CHAPTERS)
    names = [name for name in rows["stubs"] if "/" in name]
    assert {name: rows["stubs"][name] for name in names} == dict.fromkeys(names, "0")
    assert (tmp_path / ".gitignore").read_text() == "*\n"


@heavy
@pytest.mark.parametrize("page", CHAPTERS)
def test_a_check_says_the_same_over_the_line_as_beside_the_function(page, tmp_path):
    wrong = mutants(page)
    path = tmp_path / "wrong.py"
    path.write_text(f"from minitx.checks.mutants.{page} import *\n", "utf8")
    with Submission(path, [it.answer.__name__ for it in wrong], Limits()) as line:
        for mutant in wrong:
            far = mutant.exercise.report(line.answer(mutant.answer.__name__), 5, every=True)
            near = mutant.exercise.report(mutant.answer, 5, every=True)
            assert far.outcomes == near.outcomes, str(mutant)
            assert SOURCE.sub("", far.message) == SOURCE.sub("", near.message), str(mutant)


@heavy
def test_the_question_of_ones_own_that_the_page_shows_can_be_set(tmp_path):
    page = (make.ROOT / "book/teach/grading.md").read_text("utf8")
    shown = re.search(r"```python\n# ../my-variants/linear.py\n(.*?)```", page, re.S)[1]
    (tmp_path / "own").mkdir()
    (tmp_path / "own/linear.py").write_text(shown, "utf8")
    command = [sys.executable, "-m", "exercises.course", "linear", "--term", "t", "--seed", "8"]
    more = ["--out", str(tmp_path), "--variants", str(tmp_path / "own")]
    done = subprocess.run([*command, *more], cwd=make.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    own = sum(it.points + 2 for it in chapter("linear"))
    assert f"the solutions earn {own} of {own} points" in done.stdout


@heavy
def test_the_wheel_and_the_pytest_files_work_for_a_student(tmp_path):
    wheel = make.build_wheel(tmp_path)
    make.make(make.Order("term", ["start"], 3), tmp_path / "term", wheel)
    student, site = tmp_path / "term/student", tmp_path / "site"
    with zipfile.ZipFile(next(student.glob("*.whl"))) as packed:
        packed.extractall(site)
    env = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    found = subprocess.run(command, cwd=student, env=env, capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stdout.count("still to be done") >= len(chapter("start"))


@heavy
def test_answers_can_run_behind_another_command(course, work, tmp_path):
    """What Docker is given: a command, with nothing but the kit's package and this line."""
    script = tmp_path / "inside"
    kit = tmp_path / "kit"  # with no more in it than the Dockerfile copies
    shutil.copytree(course / "teacher/kit", kit)
    shutil.rmtree(kit / "grading/variants")
    here = f"cd {tmp_path} && exec env -i PYTHONPATH={kit} {sys.executable} -P -m grading.answers"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/used\n{here}\n", "utf8")
    script.chmod(0o755)
    inbox = fill(tmp_path / "inbox", {"partly": work["partly"]})
    rows = grade(course / "teacher", inbox, tmp_path / "out", "--inside", str(script))
    assert int(rows["partly"]["total"]) == work["partly"][2]
    assert (tmp_path / "used").exists()


@pytest.fixture(scope="module")
def otter_course(tmp_path_factory, seed):
    """Of the seed of ``course``, whose numbers are those of the made submissions."""
    if not OTTER.exists():
        pytest.skip("needs Otter in .venv-otter: make test-course")
    folder = tmp_path_factory.mktemp("otter")
    command = [sys.executable, "-m", "exercises.course", "attention", "--term", "o"]
    more = ["--seed", str(seed), "--out", str(folder), "--otter", str(OTTER)]
    subprocess.run([*command, *more], cwd=make.ROOT, check=True)
    return folder / "o"


@heavy
def test_otter_gives_the_points_of_plain_grading(otter_course, work, tmp_path):
    names = ("right", "overwritten", "loop", "stored")
    inbox = fill(tmp_path / "inbox", {name: work[name] for name in names})
    fill(inbox, {"as a notebook": ("attention.ipynb", made.notebook(work["partly"][1]), None)})
    plain = grade(otter_course / "teacher", inbox, tmp_path / "plain")
    otter = grade(otter_course / "teacher", inbox, tmp_path / "otter", "--otter", str(OTTER))
    columns = [f"attention/{name}" for name in made.POINTS]
    for student in plain:
        got = {name: otter[student][name] for name in columns}
        assert got == {name: plain[student][name] for name in columns}, student
    assert plain["as a notebook"]["total"] == str(work["partly"][2])
    page = (tmp_path / "otter/feedback/as a notebook.html").read_text("utf8")
    assert "k.T turns all of them round" in page


@heavy
def test_the_zip_file_finds_all_it_needs_where_a_container_puts_it(otter_course, work, tmp_path):
    """The folders of Gradescope's and Otter's containers, with nothing else on Python's path."""
    place = tmp_path / "autograder"
    with zipfile.ZipFile(otter_course / "teacher/otter/attention.zip") as packed:
        packed.extractall(place / "source")
    for name in ("submission", "results"):
        (place / name).mkdir()
    (place / "submission_metadata.json").write_text("{}")
    (place / "submission/work.py").write_text(work["partly"][1], "utf8")
    run = place / "source/run_otter.py"
    run.write_text(run.read_text().replace("/autograder", str(place)))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([str(OTTER), str(run)], cwd=tmp_path, env=env, check=True, capture_output=True)
    tests = json.loads((place / "results/results.json").read_text())["tests"]
    assert sum(test.get("score", 0) for test in tests) == work["partly"][2]
    assert importlib.util.find_spec("otter") is None, "Otter belongs in its own environment"
    assert not Path(place, "submission/judged.jsonl").exists()
