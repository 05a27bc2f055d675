"""A made-up catalogue: rows in a temporary folder, experiments beside the real ones."""

import importlib
import sys
import textwrap

import pytest

import minitx.experiments
from minitx import catalogue
from minitx.catalogue import read, results

ROW = """
[[paper]]
key = "invented"
title = "An Invented Paper"
authors = ["A. Nobody"]
year = 2031
arxiv = ""
kind = "system"
contract = "token_mixer"
claim = "Something holds."
"""


class MadeUp:
    """Writes rows and experiments of the chapter ``made_up``."""

    def __init__(self, folder):
        self.folder = folder

    def rows(self, text):
        read._load.cache_clear()
        (self.folder / "made_up.toml").write_text(text, encoding="utf8")
        return catalogue.load()

    def parts(self, *parts, row=ROW):
        """One row with these parts, each a text of fields; numbers are given in order."""
        for number, part in enumerate(parts, 1):
            row += f"\n[[paper.part]]\nnumber = {number}\ntext = 'x'\n{textwrap.dedent(part)}\n"
        return self.rows(row)[0]

    def experiment(self, text):
        sys.modules.pop("minitx.experiments.made_up.invented", None)
        path = self.folder / "experiments" / "made_up" / "invented.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from minitx.experiments import part\n" + textwrap.dedent(text))
        importlib.invalidate_caches()


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    real = list(minitx.experiments.__path__)
    monkeypatch.setattr(minitx.experiments, "__path__", [*real, str(tmp_path / "experiments")])
    monkeypatch.setattr(read, "FOLDER", tmp_path)
    monkeypatch.setattr(results, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield MadeUp(tmp_path)
    for name in [name for name in sys.modules if name.startswith("minitx.experiments.made_up")]:
        del sys.modules[name]
    if hasattr(minitx.experiments, "made_up"):
        del minitx.experiments.made_up
    read._load.cache_clear()
