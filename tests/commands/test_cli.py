"""The door of the command line, and ``minitx info``."""

import os

import numpy
import pytest

import minitx
from minitx import cli
from minitx.commands import info


def test_without_a_command_it_says_what_there_is(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in cli.COMMANDS)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert cli.COMMANDS[command] in " ".join(capsys.readouterr().out.split())


def test_version(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"minitx {minitx.__version__}\n"


def test_info_says_what_runs_here(capsys):
    assert cli.main(["info"]) == 0
    found = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert found["NumPy"] == numpy.__version__
    assert found["cores"] == str(len(os.sched_getaffinity(0)))
    assert found["device"].startswith(("cpu", "cuda"))
    assert found == {name: value.strip() for name, value in info.describe().items()}


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "\nstopped\n"),
        (ValueError("expected a, got b"), 2, "minitx: expected a, got b\n"),
        (KeyError("no such thing"), 2, "minitx: no such thing\n"),
        (ImportError(), 2, "minitx: ImportError\n"),
        (MemoryError(), 1, "minitx: MemoryError (--traceback shows where)\n"),
        (FloatingPointError("inf"), 1, "minitx: inf (--traceback shows where)\n"),
    ],
)
def test_what_a_command_raises_becomes_a_sentence(error, status, message, capsys, monkeypatch):
    def fail(args):
        raise error

    monkeypatch.setattr(info, "run", fail)
    assert cli.main(["info"]) == status
    assert capsys.readouterr().err == message
