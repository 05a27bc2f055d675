"""What a frozen course holds, and what it does not let out."""

import json
import re
import zipfile

import pytest

from exercises import build
from exercises.course import make
from exercises.course.grading import otter_zip
from exercises.course.grading.frozen import changed
from exercises.course.grading.judge import Course
from tests.teach import made


def test_students_get_stubs_checks_and_the_wheel_and_no_secret(course, seed):
    there = {path.name for path in (course / "student").iterdir()}
    wheel = next(name for name in there if name.endswith(".whl"))
    notes = {"README.md", "SHA256SUMS"}
    assert there == {"attention.ipynb", "attention.py", "test_attention.py", wheel} | notes
    master = (build.HERE / "attention.py").read_text("utf8")
    solutions = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", master, re.S)
    secrets = [line.strip() for part in solutions for line in part.splitlines() if len(line) > 16]
    assert len(secrets) > 10
    for name in there - {wheel}:
        text = (course / "student" / name).read_text("utf8")
        assert str(seed) not in text
        assert not [line for line in secrets if line in text]
        assert "solutions/" not in text
    with zipfile.ZipFile(course / "student" / wheel) as packed:
        assert not [name for name in packed.namelist() if "exercises" in name]


def test_what_was_frozen_is_written_down_and_a_change_is_noticed(course, seed):
    known = json.loads((course / "teacher/assignment.json").read_text("utf8"))
    assert (known["term"], known["pages"], known["seed"]) == ("spring", ["attention"], seed)
    assert known["points"]["attention/masks"] == 7
    assert re.fullmatch(r"[0-9a-f]{64}", known["data"]["bundled_prose"])
    assert changed(course / "teacher") == []
    name = "solutions/attention.py"
    solution = course / "teacher" / name
    text = solution.read_text("utf8")
    solution.write_text(text + "#", "utf8")
    assert changed(course / "teacher") == [name]
    solution.write_text(text, "utf8")


OWN = """
from grading.variants import Again


def bits(answer, solution, rng):
    return None


MINE = Again(lambda rng: (int(rng.integers(10, 99)),), "Add 1 to {}.".format, lambda n: n + 1, (1,))
VARIANTS = {"bits": bits, "temperature": MINE}
"""


def test_a_teacher_has_questions_of_her_own(course, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/start.py").write_text(OWN, "utf8")
    wheel = next((course / "student").glob("*.whl"))
    order = make.Order("own", ["start", "arrays"], 5)
    make.make(order, tmp_path / "course", wheel, tmp_path / "own")
    assert (tmp_path / "course/teacher/kit/grading/variants/own/start.py").read_text("utf8") == OWN
    assert not (make.GRADING / "variants/own/start.py").exists()
    solved = (tmp_path / "course/teacher/solutions/start.py").read_text("utf8")
    asked, answered = re.search(r"# Add 1 to (\d+)\..*?return (\d+)", solved, re.S).groups()
    assert int(answered) == int(asked) + 1
    student = {page: (tmp_path / f"course/student/{page}.py").read_text() for page in order.pages}
    assert f"# Add 1 to {asked}." in student["start"]
    assert student["start"].count("_again():") == 1
    assert student["arrays"].count("_again():") == 2


def test_no_path_of_the_machine_is_frozen(course):
    for path in course.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".md", ".py", ".ipynb", ".txt"):
            assert str(make.ROOT) not in path.read_text("utf8"), path


def test_a_course_that_is_there_is_not_changed(course):
    with pytest.raises(FileExistsError, match="does not change"):
        make.make(make.Order("spring", ["attention"], 1), course, course / "no.whl")


@pytest.mark.parametrize(
    ("term", "pages", "says"),
    [
        ("spring", ["atention"], r"got \['atention'\]"),
        ("spring", [], "expected pages out of start, arrays"),
        ("", ["attention"], "a term such as 2026-autumn"),
        ("../x", ["attention"], "a term such as"),
        (".git", ["attention"], "a term such as"),
    ],
)
def test_a_wrong_order_is_refused(term, pages, says):
    with pytest.raises(ValueError, match=says):
        make.Order(term, pages, 0)


def test_a_seed_is_drawn_anew():
    assert len({make.draw_seed() for _ in range(9)}) == 9


def test_otter_gets_a_case_with_its_points_for_each_question(course):
    exercises = Course.load(course / "teacher").exercises("attention")
    for exercise in exercises:
        text = otter_zip.test_file(exercise)
        compile(text, exercise.name, "exec")
        points = [int(n) for n in re.findall(r"^@test_case\(.*, points=(\d+)\)$", text, re.M)]
        assert points == [stage.points for stage in exercise.stages]
    assert sum(exercise.points for exercise in exercises) == made.FULL
