"""What is generated from the masters of the exercises."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minitx.checks import CHAPTERS, chapter

MASTERS = Path(__file__).parents[2] / "exercises"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("exercises_build", MASTERS / "build.py")
    sys.modules["exercises_build"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(build):
    """{path: text} of everything."""
    return {path: text for name in CHAPTERS for path, text in build.files(name)}


def code(text):
    return "\n".join(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"
    )


def test_there_is_a_master_for_each_chapter_and_no_other():
    assert {path.stem for path in MASTERS.glob("*.py")} == {*CHAPTERS, "build"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_solutions_are_gone_from_what_readers_get(made, name):
    master = (MASTERS / f"{name}.py").read_text("utf8")
    solutions = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", master, re.S)
    assert len(solutions) == len(chapter(name))
    lines = [line.strip() for part in solutions for line in part.splitlines()]
    telling = [line for line in lines if len(line) > 12]
    assert len(telling) >= len(solutions)
    for suffix in ("py", "ipynb"):
        text = made[f"reader/{name}.{suffix}"]
        reader = code(text) if suffix == "ipynb" else text
        solved = code(made[f"solutions/{name}.ipynb"])
        assert reader.count("raise NotImplementedError") >= len(solutions)
        assert "SOLUTION" not in text + solved
        for line in telling:
            assert line not in reader
            assert line in solved


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_exercise_has_heading_facts_stub_check_and_hint(made, name):
    cells = json.loads(made[f"reader/{name}.ipynb"])["cells"]
    text = ["".join(cell["source"]) for cell in cells]
    for number, exercise in enumerate(chapter(name), start=1):
        facts = f"{exercise.minutes} minutes, {exercise.points} points* · `{exercise.name}`"
        facts = facts.replace("*", "", 1) + "*"
        heading = [part for part in text if f"## {number}. {exercise.title}\n" in part]
        assert len(heading) == 1
        assert facts in heading[0]
        assert "<details><summary>Hint" in heading[0]
        stub = [part for part in text if f"def {exercise.call}:\n" in part]
        assert len(stub) == 1
        assert ast.get_docstring(ast.parse(stub[0]).body[-1])
        own = f"check_{exercise.name.split('/')[1]}({exercise.answer})"
        assert any(part.endswith(f"\n{own}") for part in text), own


def test_a_master_without_a_heading_for_an_exercise_is_refused(build):
    with pytest.raises(ValueError, match="no heading for temperature"):
        build.with_cards([build.Cell("markdown", "## {bits}")], chapter("start"))


def test_the_numbers_of_the_pencil_are_those_of_its_check():
    from minitx.checks.attention.by_hand import HAND

    text = (MASTERS / "attention.py").read_text("utf8").replace("2 ln 2", "1.3862943611198906")
    rows = re.findall(r"^# \| \d \| \((.*?)\) \| \((.*?)\) \| \((.*?)\) \|$", text, re.M)
    for i, table in enumerate(HAND):
        assert [[float(x) for x in row[i].split(",")] for row in rows] == table.tolist()


def test_the_same_master_gives_the_same_bytes_and_an_install_cell_on_demand(build, made):
    assert dict(build.files("start")).items() <= made.items()
    wish = "minitx @ https://example.org/minitx.whl"
    first = json.loads(dict(build.files("start", wish))["reader/start.ipynb"])["cells"][0]
    assert "".join(first["source"]) == f'%pip install --quiet "{wish}"'


def test_notebooks_are_valid_and_masters_are_what_jupytext_reads(build, made):
    nbformat = pytest.importorskip("nbformat")
    jupytext = pytest.importorskip("jupytext")
    for name in CHAPTERS:
        for folder in ("reader", "solutions"):
            nbformat.validate(nbformat.reads(made[f"{folder}/{name}.ipynb"], as_version=4))
        text = (MASTERS / f"{name}.py").read_text("utf8")
        theirs = jupytext.reads(text, fmt="py:percent").cells
        ours = build.read_cells(text)
        assert [(cell.cell_type, cell.source) for cell in theirs] == [
            (cell.kind, cell.text) for cell in ours
        ]


@pytest.mark.parametrize(("folder", "status"), [("reader", 1), ("solutions", 0)])
def test_pytest_runs_what_was_made(made, tmp_path, folder, status):
    for name in ("start.py", "test_start.py"):
        (tmp_path / name).write_text(made[f"{folder}/{name}"], "utf8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    found = subprocess.run(
        [*command, f"--rootdir={tmp_path}"], cwd=tmp_path, capture_output=True, text=True, env=env
    )
    assert found.returncode == status, found.stdout + found.stderr
    assert ("still to be done" in found.stdout) == (folder == "reader")
