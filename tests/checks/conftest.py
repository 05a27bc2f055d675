"""What is made from the masters of the exercises: stubs and solutions, in a folder of the test."""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    with contextlib.redirect_stdout(io.StringIO()):  # a run-it cell prints its table
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder with what readers and teachers get."""
    folder = tmp_path_factory.mktemp("exercises")
    build = load(ROOT / "exercises" / "build.py", "exercises_build")
    for name in build.CHAPTERS:
        for path, text in build.files(name):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, "utf8")
    return folder


@pytest.fixture(scope="session")
def answer(made):
    """answer("solutions", exercise): the function that was made for it."""
    modules = {}

    def find(folder, exercise):
        name = exercise.name.split("/")[0]
        if (folder, name) not in modules:
            modules[folder, name] = load(made / folder / f"{name}.py", f"{folder}_{name}")
        return getattr(modules[folder, name], exercise.answer)

    return find


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    """No test touches the progress of the person who runs it."""
    monkeypatch.setenv("MINITX_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MINITX_PROGRESS", raising=False)
