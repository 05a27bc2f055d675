"""Make what readers and teachers get from the masters in this folder: ``make exercises``.

A master ``<chapter>.py`` is a notebook as text (py:percent, as Jupytext reads it). Lines between
``# BEGIN SOLUTION`` and ``# END SOLUTION`` are the solution, ``## {by_hand}`` is the heading of the
exercise of that name, a cell tagged "check" calls its check. Written to ``_build/exercises``:

    reader/<chapter>.ipynb, .py        stubs in place of solutions
    reader/test_<chapter>.py           the same checks for pytest
    solutions/...                      the same three files with the solutions
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minitx.checks import CHAPTERS, Exercise, chapter

HERE = Path(__file__).parent
CELL = re.compile(r"^# %%(?P<head>.*)\n", re.M)
SOLUTION = re.compile(
    r"^(?P<indent> *)# BEGIN SOLUTION\n(?P<body>.*?)^ *# END SOLUTION\n", re.M | re.S
)
HEADING = re.compile(r"^## \{(\w+)\}$", re.M)
DIFFICULTY = {1: "easy", 2: "medium", 3: "hard"}

TEST = '''"""The checks of chapter {name}, for pytest: `pytest test_{name}.py` in this folder."""

import importlib.util
from pathlib import Path

import pytest

from minitx.checks import chapter

SPEC = importlib.util.spec_from_file_location("{name}", Path(__file__).with_name("{name}.py"))
ANSWERS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(ANSWERS)


@pytest.mark.parametrize("exercise", chapter("{name}"), ids=str)
def test_exercise(exercise):
    exercise(getattr(ANSWERS, exercise.answer))
'''


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: ``kind`` is "markdown" or "code"."""

    kind: str
    text: str
    check: bool = False


def read_cells(text: str) -> list[Cell]:
    """The cells of a master; what is above the first is Jupytext's own."""
    _, *parts = CELL.split(text)
    cells = []
    for head, body in zip(parts[::2], parts[1::2]):
        if "[markdown]" in head:
            body = re.sub(r"^# ?", "", body, flags=re.M)
            cells.append(Cell("markdown", body.strip()))
        else:
            cells.append(Cell("code", body.strip(), '"check"' in head))
    return cells


def without_solutions(cells: list[Cell]) -> list[Cell]:
    """Stubs: each solution becomes ``raise NotImplementedError``."""
    return [_replace(cell, r"\g<indent>raise NotImplementedError\n") for cell in cells]


def with_solutions(cells: list[Cell]) -> list[Cell]:
    """The solutions, without their markers."""
    return [_replace(cell, r"\g<body>") for cell in cells]


def _replace(cell: Cell, by: str) -> Cell:
    return Cell(cell.kind, SOLUTION.sub(by, cell.text + "\n").rstrip("\n"), cell.check)


def with_cards(cells: list[Cell], exercises: list[Exercise]) -> list[Cell]:
    """``## {name}`` becomes the number and title of the exercise, and a line of facts."""
    known = {it.name.split("/")[1]: (i, it) for i, it in enumerate(exercises, start=1)}

    def card(match: re.Match[str]) -> str:
        number, it = known.pop(match[1])
        facts = f"{it.kind}, {DIFFICULTY[it.difficulty]}, {it.minutes} minutes, {it.points} points"
        return f"## {number}. {it.title}\n\n*{facts[0].upper()}{facts[1:]} · `{it.name}`*"

    cells = [
        Cell(cell.kind, HEADING.sub(card, cell.text), cell.check)
        if cell.kind == "markdown"
        else cell
        for cell in cells
    ]
    if known:
        raise ValueError(f"the master has no heading for {', '.join(known)}")
    return cells


def notebook(cells: list[Cell]) -> str:
    """The cells as an ``.ipynb`` file; the same cells give the same bytes."""
    written = []
    for i, cell in enumerate(cells):
        source = cell.text.splitlines(keepends=True)
        extra = {"execution_count": None, "outputs": []} if cell.kind == "code" else {}
        head = {"cell_type": cell.kind, "id": f"cell-{i}", "metadata": {}, "source": source}
        written.append(head | extra)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    file = {
        "cells": written,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(file, indent=1, ensure_ascii=False) + "\n"


def script(cells: list[Cell]) -> str:
    """The cells as text, without those that call a check: pytest and `minitx check` do that."""
    blocks = []
    for cell in cells:
        if cell.kind == "markdown":
            lines = "".join(f"# {line}".rstrip() + "\n" for line in cell.text.splitlines())
            blocks.append(f"# %% [markdown]\n{lines}")
        elif not cell.check:
            blocks.append(f"# %%\n{cell.text}\n")
    return "\n".join(blocks)


def files(name: str, install: str | None = None) -> Iterator[tuple[str, str]]:
    """(path, text) of everything that is made from one master."""
    cells = with_cards(read_cells((HERE / f"{name}.py").read_text("utf8")), chapter(name))
    first = [Cell("code", f'%pip install --quiet "{install}"')] if install else []
    link = f"---\nSolutions, when you have tried: [solutions](../solutions/{name}.ipynb)."
    stubs = [*without_solutions(cells), Cell("markdown", link)]
    for folder, made in (("reader", stubs), ("solutions", with_solutions(cells))):
        yield f"{folder}/{name}.ipynb", notebook([*first, *made])
        yield f"{folder}/{name}.py", script(made)
        yield f"{folder}/test_{name}.py", TEST.format(name=name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE.parent / "_build" / "exercises")
    parser.add_argument("--install", help="what the notebooks' first cell installs, for Colab")
    args = parser.parse_args()
    for name in CHAPTERS:
        for path, text in files(name, args.install):
            target = args.out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf8")
    print(f"exercises of {len(CHAPTERS)} chapters: {args.out}")


if __name__ == "__main__":
    main()
