"""Cells tagged `local` with stored output: skipped, and shown as they were when they last ran."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")
nbformat = pytest.importorskip("nbformat")
BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def stored():
    sys.path.insert(0, str(BOOK / "_ext"))
    try:
        from minitx_book import stored
    finally:
        sys.path.pop(0)
    return stored


def notebook():
    new = nbformat.v4.new_code_cell
    return nbformat.v4.new_notebook(
        cells=[new("1"), new("f(\n2)", metadata={"tags": ["hide-input", "local"]})]
    )


@pytest.fixture
def page(tmp_path):
    (tmp_path / "_toc.yml").touch()
    return tmp_path / "part" / "page.md"


def test_what_was_recorded_is_shown(stored, page):
    done = notebook()
    done.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="four\n")]
    stored.record(done, page, "a machine")
    built = notebook()
    stored.skip(built, page)
    assert [cell.metadata.get("tags") for cell in built.cells] == [
        None, ["hide-input", "local", "skip-execution"],
    ]  # fmt: skip
    assert stored.fill(built, page) is None
    assert built.cells[1].metadata["tags"] == ["hide-input", "local"]
    assert [output["text"].strip() for output in built.cells[1].outputs] == [
        "four", "(stored output, of a machine)",
    ]  # fmt: skip
    assert not built.cells[0].outputs
    nbformat.validate(built)


def test_other_code_than_was_run_is_told(stored, page):
    stored.record(notebook(), page, "a machine")
    assert stored.fill(notebook(), page) is None
    changed = notebook()
    changed.cells[1].source += " + 1"
    assert "page.json" in stored.fill(changed, page)


def test_a_page_of_which_nothing_is_stored_is_run(stored, page):
    whole = notebook()
    stored.skip(whole, page)
    assert whole.cells[1].metadata["tags"] == ["hide-input", "local"]
    whole.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="four\n")]
    assert stored.fill(whole, page) is None and len(whole.cells[1].outputs) == 1


def test_what_is_stored_is_what_the_pages_have(stored):
    from myst_nb.core.read import myst_nb_reader_plugin

    folder = BOOK / "_data" / "stored"
    for store in folder.rglob("*.json"):
        page = (BOOK / store.relative_to(folder)).with_suffix(".md")
        cells = stored.local_cells(myst_nb_reader_plugin(str(page)))
        found = json.loads(store.read_text("utf8"))
        assert [cell.source.split("\n") for cell in cells] == [it["code"] for it in found["cells"]]
        assert found["machine"] and all(it["outputs"] for it in found["cells"])
