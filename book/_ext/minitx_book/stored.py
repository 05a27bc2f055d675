"""Stored output for cells tagged `local` that need more than the machine which builds the book has.

`python book/record.py transformer/encoder` runs a page whole, where everything is there, and writes
what these cells showed to `book/_data/stored/transformer/encoder.json`, with their code and the
machine. From then on a build skips these cells of the page and shows what was stored; code that is
no longer what was run is a warning, and so fails the build. Without such a file they are run.
"""

import json
from pathlib import Path

TAG, SKIP = "local", "skip-execution"


def store_of(page: Path) -> Path:
    """The file of what is stored for a page of the book whose `_toc.yml` stands above it."""
    book = next(folder for folder in page.parents if (folder / "_toc.yml").exists())
    return book / "_data" / "stored" / page.relative_to(book).with_suffix(".json")


def local_cells(notebook) -> list:
    return [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]


def skip(notebook, page: Path) -> None:
    """Mark the cells that are not to be run here."""
    for cell in local_cells(notebook) if store_of(page).exists() else ():
        cell.metadata["tags"] = [*cell.metadata["tags"], SKIP]


def fill(notebook, page: Path) -> str | None:
    """Give skipped cells the outputs that are stored; what is wrong with these, or None."""
    import nbformat

    cells, path = local_cells(notebook), store_of(page)
    if not path.exists():
        return None
    for cell in cells:
        cell.metadata["tags"] = [tag for tag in cell.metadata["tags"] if tag != SKIP]
    stored = json.loads(path.read_text("utf8"))
    if [cell.source for cell in cells] != ["\n".join(it["code"]) for it in stored["cells"]]:
        return f"the cells tagged {TAG} are not those in {path.name}: python book/record.py"
    for cell, known in zip(cells, stored["cells"], strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in known["outputs"]]
        if cell.outputs:
            note = f"(stored output, of {stored['machine']})\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=note))
    return None


def record(notebook, page: Path, machine: str) -> None:
    """Store the outputs of a page that has been run whole."""
    cells = [
        {"code": cell.source.split("\n"), "outputs": [dict(output) for output in cell.outputs]}
        for cell in local_cells(notebook)
    ]
    path = store_of(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "cells": cells}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf8", newline="\n")
