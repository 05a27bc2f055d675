"""Otter's way in: in a container a student's process is run as nobody, or it is not run at all.

Otter is stood in for; the tests with Otter itself are in test_grading.py.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from exercises.course import make

OTTER = ("otter", "otter.plugins", "otter.run", "otter.run.run_autograder")


class Plugin:
    """What Otter's class keeps for its plugins."""

    def __init__(self, path, config):
        self.submission_path, self.plugin_config = path, config


class Refused(RuntimeError):
    """In place of Otter's error, which gives no points."""


@pytest.fixture
def plugin(monkeypatch):
    """The module, without Otter."""
    for name in (*OTTER, "otter.run.run_autograder.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["otter.plugins"].AbstractOtterPlugin = Plugin
    sys.modules["otter.run.run_autograder.utils"].OtterRuntimeError = Refused
    spec = importlib.util.spec_from_file_location("plugin", make.GRADING / "plugin.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def started(plugin, course, tmp_path, monkeypatch):
    """The folders of a container, a user who is root; what the plugin would start."""
    commands, place = [], tmp_path.resolve()
    (place / "source/files").mkdir(parents=True)
    (place / "source/files/teacher").symlink_to(course / "teacher")
    for name in ("submission", "home", "made"):
        (place / name).mkdir()
    monkeypatch.chdir(place / "submission")
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.setattr(plugin.tempfile, "tempdir", str(place / "made"))
    monkeypatch.setattr(plugin, "CONTAINER", place)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(plugin.subprocess, "run", lambda command, **how: commands.append(command))
    return commands


def judge(plugin):
    """What Otter does before it would run the file; the cells that are left to it."""
    cells = plugin.Judged("work.py", {"page": "attention"})
    return cells.before_execution(SimpleNamespace(cells=["a student's"])).cells


def test_in_a_container_the_process_is_nobody_and_sees_no_question(plugin, started, tmp_path):
    assert judge(plugin) == []
    (command,) = started
    assert command[-2] == "--inside"
    assert plugin.NOBODY in command[-1]
    (kit,) = (tmp_path / "made").iterdir()
    assert f"PYTHONPATH={kit}" in command[-1]
    assert not (kit / "grading/variants").exists()
    assert (kit / "grading/answers.py").exists()
    assert (kit / "minitx/contracts/variants/register.py").exists()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("folder", ["submission", "source", "."])
@pytest.mark.parametrize("missing", ["root", "setpriv"])
def test_where_there_is_no_such_user_nothing_is_run(
    plugin, started, tmp_path, monkeypatch, folder, missing
):
    monkeypatch.chdir(tmp_path / folder)
    if missing == "root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    else:
        monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Refused, match=f"tell your teacher.* Here .*{missing}"):
        judge(plugin)
    assert started == []
    assert not list(tmp_path.rglob("judged.jsonl"))


def test_the_place_of_the_kit_tells_of_a_container_too(plugin, started, tmp_path, monkeypatch):
    monkeypatch.chdir(make.ROOT)
    assert not plugin.in_container()
    monkeypatch.setattr(plugin, "__file__", str(tmp_path / "source/kit/grading/plugin.py"))
    assert plugin.in_container()


def test_on_the_own_machine_otter_starts_the_judge_as_it_is(plugin, started, monkeypatch):
    monkeypatch.setattr(plugin, "CONTAINER", Path("/autograder"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert judge(plugin) == []
    assert "--inside" not in started[0]
