"""The examples that people read are run: fenced Python of the README, and docstrings."""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


SLOTS = "nn positions token_mixers channel_mixers connections depth".split()


def blocks(text: str) -> list[str]:
    """The fenced Python blocks of a text."""
    return BLOCK.findall(text)


def modules_with_examples() -> list[str]:
    """Modules of minitx with an interactive example in a docstring."""
    found = []
    for file in sorted((ROOT / "minitx").rglob("*.py")):
        if ">>> " in file.read_text(encoding="utf-8"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(part for part in parts if part != "__init__"))
    return found


README = blocks((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readme_has_an_example():
    assert README


@pytest.mark.parametrize("number", range(len(README)))
def test_the_readme_runs(number, capsys):
    exec(compile(README[number], "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert printed.strip()
    assert "nan" not in printed


@pytest.mark.parametrize("name", modules_with_examples())
def test_docstring_examples_are_true(name):
    module = importlib.import_module(name)
    names = {"np": np}
    for room in ("minitx", *(f"minitx.{slot}" for slot in SLOTS)):
        names |= vars(importlib.import_module(room))
    names |= vars(module)
    failures, tried = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert tried, f"{name} has >>> but no example"
    assert not failures


def test_a_wrong_example_fails():
    examples = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(examples, out=lambda _: None).failed == 1
    assert blocks("text\n```python\nx = 1\n```\n```sh\nls\n```\n") == ["x = 1\n"]
