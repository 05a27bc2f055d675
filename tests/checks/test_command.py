"""``minitx check`` on files of readers, good and bad."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from minitx import cli
from minitx.checks import chapter, exercises, reader, run

ALL = len(exercises())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(capsys):
    """Run `minitx check ...`: (status, what it printed, what it complained of)."""

    def run_it(*arguments):
        status = cli.main(["check", *arguments])
        printed = capsys.readouterr()
        return status, " ".join(printed.out.split()), printed.err

    return run_it


def progress(folder):
    return json.loads((folder / "home" / "progress.json").read_text("utf8"))["done"]


def notebook(*cells):
    cells = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    text = {"cell_type": "markdown", "source": "def by_hand(): text"}
    return json.dumps({"cells": [text, *cells], "nbformat": 4})


BITS = "import numpy as np\ndef bits_per_character(p):\n    return -np.mean(np.log2(p))\n"
COLD = "def temperature_probabilities(scores, temperature):\n"


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
def test_stubs_then_solutions(made, folder, check, suffix):
    for name in ("start", "attention"):
        shutil.copy(made / "reader" / f"{name}.{suffix}", folder)
    status, out, _ = check()
    assert status == 1
    assert out.count("to do") == len(chapter("start")) + len(chapter("attention"))
    assert f"0 of {ALL} done" in out
    for name in ("start", "attention"):
        shutil.copy(made / "solutions" / f"{name}.{suffix}", folder)
    status, out, _ = check("attention")
    assert status == 0
    assert "right attention/masks (7 of 7 points)" in out
    assert "start/bits" not in out
    assert f"6 of {ALL} done: attention 6 of 6" in out
    assert check()[0] == 0
    assert len(progress(folder)) == len(chapter("start")) + len(chapter("attention"))


def test_a_failure_is_explained_and_the_rest_goes_on(folder, check):
    text = BITS.replace("log2", "log") + COLD + "    raise NotImplementedError\n"
    (folder / "start.py").write_text(text)
    status, out, _ = check()
    assert status == 1
    assert "wrong start/bits (1 of 5 points)" in out
    assert "These are nats" in out
    assert "to do start/temperature" in out


def test_one_exercise_of_a_file_with_another_name(folder, check):
    (folder / "mine.ipynb").write_text(notebook("%matplotlib inline\n!ls\nimport math", BITS))
    status, out, _ = check("bits", "--file", "mine.ipynb")
    assert status == 0
    assert f"1 of {ALL} done: start 1 of 2" in out
    status, out, _ = check("start/temperature", "--file", "mine.ipynb")
    assert status == 1
    assert "does not define temperature_probabilities(scores, temperature)" in out


def test_checks_in_cells_are_passed_over(folder, check):
    cell = "from minitx.checks.start import check_bits\ncheck_bits('not yet')"
    (folder / "start.ipynb").write_text(notebook(cell, BITS))
    assert "right start/bits" in check()[1]


def test_a_broken_cell_ends_the_reading_only(folder, check):
    (folder / "start.py").write_text(BITS + "undefined + 1\n" + COLD + "    return 1\n")
    _, out, _ = check()
    assert "start.py raised NameError: name 'undefined' is not defined at `undefined + 1`" in out
    assert "right start/bits" in out
    assert "to do start/temperature" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:\n", "start.py is not valid Python (invalid syntax, line 1: `def f(:`)"),
        ("import sys; sys.exit(3)", "start.py raised SystemExit: 3"),
        ("import os; os._exit(0)", "start.py ended Python itself (exit status 0)"),
        ("print('x' * 10**6); input()", "start.py raised EOFError"),
        ("import no_such_library", "No module named 'no_such_library'"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end(folder, check, text, says):
    (folder / "start.py").write_text(text)
    status, out, _ = check()
    assert status == 1
    assert says in out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="blocks a signal of Unix")
def test_what_cannot_end_itself_is_ended_by_force(folder, monkeypatch):
    monkeypatch.setattr(run, "GRACE", 1.0)
    hangs = "    import signal\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
    leaves = "    import os\n    os._exit(7)\n"
    (folder / "start.py").write_text(
        "def bits_per_character(p):\n" + hangs + "    while True: pass\n" + COLD + leaves
    )
    reports = list(run.check_file(folder / "start.py", chapter("start"), seconds=0.2))
    assert "could only be ended by force" in reports[0].message
    assert "ended Python itself (exit status 7)" in reports[1].message


def test_a_loop_at_top_level(folder, monkeypatch):
    (folder / "start.py").write_text(BITS + "while True: pass\n")
    defined, problem = reader.read(folder / "start.py", seconds=0.3)
    assert "still running after 0.3 seconds" in problem
    assert "bits_per_character" in defined


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["atention"], "no chapter or exercise 'atention'; did you mean attention"),
        (["zzz"], "there are start/bits, start/temperature"),
        (["attention"], "there is no attention.ipynb, attention.py in this folder"),
        (["bits", "--file", "no.py"], "there is no file no.py"),
        (["bits", "--file", "."], "expected a .py or .ipynb file, got ."),
        (["bits", "--file", "folder.py"], "got the folder folder.py"),
        (["bits", "--file", "latin.py"], "latin.py is not UTF-8"),
        (["bits", "--file", "bad.ipynb"], "bad.ipynb is not a notebook"),
        (["bits", "--file", "list.ipynb"], "list.ipynb is not a notebook"),
    ],
)
def test_what_cannot_be_checked(folder, check, arguments, says):
    (folder / "folder.py").mkdir()
    (folder / "latin.py").write_bytes(b"# \xe9t\xe9")
    (folder / "bad.ipynb").write_text("{")
    (folder / "list.ipynb").write_text("[1]")
    status, _, complaint = check(*arguments)
    assert status == 2
    assert complaint.startswith("minitx: ")
    assert says in complaint


def test_an_empty_folder_is_told_where_exercises_are(check):
    status, out, _ = check()
    assert status == 0
    assert "No file of exercises in this folder" in out
    assert f"0 of {ALL} done" in out


@pytest.mark.parametrize("damage", ["{", "[]", '{"done": 3}', "", "\xff", "[" * 100_000])
def test_a_damaged_progress_file_is_set_aside(folder, check, damage):
    home = folder / "home"
    home.mkdir()
    (home / "progress.json").write_bytes(damage.encode("latin-1"))
    (home / "progress.broken.json").write_text("an older one")
    (folder / "start.py").write_text(BITS)
    _, out, complaint = check()
    assert f"1 of {ALL} done" in out
    assert "was damaged; it is now progress.broken-2.json" in complaint
    assert (home / "progress.broken-2.json").read_bytes() == damage.encode("latin-1")
    assert list(progress(folder)) == ["start/bits"]


def test_progress_stays_and_can_be_declined(folder, check, monkeypatch):
    (folder / "start.py").write_text(BITS)
    check("--no-progress")
    assert not (folder / "home").exists()
    monkeypatch.setenv("MINITX_PROGRESS", "off")
    assert f"1 of {ALL} done" in check()[1]
    assert not (folder / "home").exists()
    monkeypatch.delenv("MINITX_PROGRESS")
    check()
    (folder / "start.py").write_text(BITS.replace("log2", "log"))
    assert f"1 of {ALL} done" in check()[1]  # done is done


def test_a_home_that_cannot_be_written(folder, check):
    (folder / "home").write_text("a file where the folder should be")
    (folder / "start.py").write_text(BITS)
    _, out, complaint = check()
    assert "right start/bits" in out
    assert "progress c" in complaint or "cannot be read" in complaint


def test_a_terminal_that_knows_ascii_only(made, folder):
    shutil.copy(made / "reader" / "attention.py", folder)
    text = (folder / "attention.py").read_text("utf8")
    wrong = text.replace("raise NotImplementedError", "return 0", 3)
    (folder / "attention.py").write_text(wrong, "utf8")
    found = subprocess.run(
        [sys.executable, "-m", "minitx.cli", "check"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert found.returncode == 1, found.stderr
    assert b"question 1 of 5, ?With one key" in found.stdout
