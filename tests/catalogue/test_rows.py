"""The rows are true: what they name is there."""

import importlib
import re
from pathlib import Path

import pytest

from minitx import catalogue
from minitx.catalogue import results
from minitx.contracts import CONTRACTS
from minitx.contracts.variants import VARIANTS
from minitx.experiments import parts_of

ROOT = Path(__file__).parents[2]
PAPERS = catalogue.load()
by_key = pytest.mark.parametrize("paper", PAPERS, ids=[paper.key for paper in PAPERS])


@by_key
def test_its_code_is_there(paper):
    for code in paper.code:
        module, name = code.split(":")
        assert hasattr(importlib.import_module(module), name), code


@by_key
def test_its_page_is_there(paper):
    pages = {path.stem: path for path in (ROOT / "book").glob("*/*.md")}
    assert paper.page, "no page explains it"
    page, _, anchor = paper.page.partition("#")
    assert page in pages, paper.page
    text = pages[page].read_text("utf8")
    assert not anchor or f"({anchor})=" in text or anchor in _anchors(text), paper.page


def _anchors(text):
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@by_key
def test_its_exercise_is_there(paper):
    if paper.exercise:
        assert list((ROOT / "exercises").glob(f"{paper.exercise}*")), paper.exercise


@by_key
def test_its_experiment_has_its_parts(paper):
    name = results.experiment(paper)
    assert results.file_of(name) is not None, f"there is no experiment {name}"
    found = parts_of(importlib.import_module(name))
    assert sorted(found) == [part.number for part in paper.parts]


@by_key
def test_its_contract_is_checked(paper):
    assert paper.contract in CONTRACTS, f"there are no checks of the contract {paper.contract}"
    assert paper.code, "no code is named"
    registered = {variant.code for variant in VARIANTS if variant.contract == paper.contract}
    assert registered & set(paper.code), f"register {paper.code} as {paper.contract}"


@by_key
def test_its_text_is_one_line(paper):
    for text in (paper.title, paper.claim, *(part.text for part in paper.parts)):
        assert "\n" not in text
        assert text == text.strip()


def test_experiments_belong_to_rows():
    known = {(paper.chapter, paper.key) for paper in PAPERS}
    folder = ROOT / "minitx" / "experiments"
    for path in folder.glob("*/*.py"):
        assert path.stem == "__init__" or (path.parent.name, path.stem) in known, path.name
