"""Read the rows from their files, strictly: a field that is missing, unknown or wrong is an error.

An error names the file, the row, the part and the field.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from minitx.catalogue.rows import COMPARATORS, CONTRACTS, KINDS, Failure, Measure, Paper, Part

FOLDER = Path(__file__).parent
_NUMBER = (int, float)
_PAPER = {
    "key": str,
    "title": str,
    "authors": list,
    "year": int,
    "arxiv": str,
    "kind": KINDS,
    "contract": CONTRACTS,
    "claim": str,
    "part": list,
}
_PAPER_MAY = {"traits": list, "code": (str, list), "page": str, "exercise": str}
_PART = {"number": int, "text": str, "kind": ("exact", "trained")}
_PART_MAY = {"measure": list, "seeds": list, "over": ("each", "mean"), "failure": dict}
_MEASURE = {"comparator": COMPARATORS, "threshold": _NUMBER}
_MEASURE_MAY = {"unit": str, "tolerance": _NUMBER, "name": str}
_FAILURE = {"reason": str, "seeds": list}


class CatalogueError(ValueError):
    """A row of the catalogue is not as it should be."""


def load(folder: Path | None = None) -> tuple[Paper, ...]:
    """All rows of ``folder`` (the package's own), by chapter, in the order of each file.

    Raises ``CatalogueError`` that names the file, the row and the field of the first mistake.
    """
    return _load(folder or FOLDER)


@cache
def _load(folder: Path) -> tuple[Paper, ...]:
    papers: dict[str, Paper] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            rows = tomllib.loads(path.read_text("utf8"))
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"{path.name}: {error}") from None
        _check(rows, path.name, {"paper": list}, {})
        for row in rows["paper"]:
            paper = _paper(row, path)
            if paper.key in papers:
                raise CatalogueError(
                    f"{path.name}, {paper.key}: the key is in {papers[paper.key].file.name} already"
                )
            papers[paper.key] = paper
    return tuple(papers.values())


def find(key: str, papers: Iterable[Paper] | None = None) -> Paper:
    """The row of this key; KeyError that names near ones when there is none."""
    known = {paper.key: paper for paper in (load() if papers is None else papers)}
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
    near += [name for name in known if key and key in name and name not in near][:3]
    hint = f"; near it: {', '.join(near)}" if near else "; `minitx papers` lists all"
    raise KeyError(f"no paper has the key {key!r}{hint}")


def search(words: str, papers: Iterable[Paper] | None = None) -> list[Paper]:
    """The rows in which every one of ``words`` occurs, in any field and in any case."""
    wanted = words.casefold().split()
    return [
        paper
        for paper in (load() if papers is None else papers)
        if all(word in _all_text(paper) for word in wanted)
    ]


def _all_text(paper: Paper) -> str:
    fields = [paper.key, paper.title, *paper.authors, str(paper.year), paper.arxiv, paper.kind]
    fields += [paper.chapter, paper.contract.replace("_", " "), paper.contract, *paper.traits]
    fields += [*paper.code, paper.claim, *(part.text for part in paper.parts)]
    return "\n".join(fields).casefold()


def _paper(row: Any, path: Path) -> Paper:
    where = f"{path.name}, {row.get('key', 'a row without key') if isinstance(row, dict) else row}"
    _check(row, where, _PAPER, _PAPER_MAY)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", row["key"]):
        raise CatalogueError(f"{where}: key expected lower case letters, digits and _")
    if not row["authors"]:
        raise CatalogueError(f"{where}: authors expected at least one name")
    if not re.fullmatch(r"\d{4}\.\d{4,5}|", row["arxiv"]):
        raise CatalogueError(f"{where}: arxiv expected the form 1706.03762, got {row['arxiv']!r}")
    parts = tuple(_part(part, f"{where}, part {i}") for i, part in enumerate(row.pop("part"), 1))
    numbers = [part.number for part in parts]
    if not parts or numbers != list(range(1, len(parts) + 1)):
        raise CatalogueError(f"{where}: parts expected the numbers 1, 2, ..., got {numbers}")
    code = row.pop("code", [])
    code = (code,) if isinstance(code, str) else _tuple(code, str, f"{where}: code")
    for name in code:
        if not re.fullmatch(r"[\w.]+:\w+", name):
            raise CatalogueError(f"{where}: code expected 'module:object', got {name!r}")
    authors = _tuple(row.pop("authors"), str, f"{where}: authors")
    traits = _tuple(row.pop("traits", []), str, f"{where}: traits")
    more = {"authors": authors, "traits": traits, "code": code, "parts": parts}
    return Paper(**row, **more, chapter=path.stem, file=path)


def _part(row: Any, where: str) -> Part:
    single = isinstance(row, dict) and "measure" not in row  # its one measure stands in the part
    must, may = (_PART | _MEASURE, _PART_MAY | _MEASURE_MAY) if single else (_PART, _PART_MAY)
    _check(row, where, must, may)
    own = {name: row[name] for name in _MEASURE | _MEASURE_MAY if name in row}
    measures = tuple(_measure(measure, where) for measure in row.get("measure", [own]))
    names = [measure.name for measure in measures]
    if not names or len(set(names)) < len(names):
        raise CatalogueError(f"{where}: measure expected different names, got {names}")
    seeds = _tuple(row.get("seeds", [0]), int, f"{where}: seeds")
    failure = _failure(row["failure"], where, seeds) if "failure" in row else None
    if failure and row["kind"] == "exact":
        raise CatalogueError(f"{where}: failure is for trained parts; an exact one is not excused")
    fields = {name: row[name] for name in (*_PART, "over") if name in row}
    return Part(**fields, measures=measures, seeds=seeds, failure=failure)


def _measure(row: Any, where: str) -> Measure:
    _check(row, f"{where}, measure", _MEASURE, _MEASURE_MAY)
    if ("tolerance" in row) != (row["comparator"] == "~"):
        raise CatalogueError(f"{where}: tolerance expected with the comparator ~ and only there")
    return Measure(**row)


def _failure(row: Any, where: str, seeds: tuple[int, ...]) -> Failure:
    _check(row, f"{where}, failure", _FAILURE, {})
    failed = _tuple(row["seeds"], int, f"{where}: failure.seeds")
    if not row["reason"].strip() or not set(failed) <= set(seeds):
        raise CatalogueError(
            f"{where}: failure expected a reason and seeds of {list(seeds)}, got {list(failed)}"
        )
    return Failure(row["reason"], failed)


def _tuple(values: list, kind: type, where: str) -> tuple:
    if any(type(value) is not kind for value in values) or (kind is int and not values):
        raise CatalogueError(f"{where} expected a list of {kind.__name__}, got {values}")
    return tuple(values)


def _check(row: Any, where: str, must: dict, may: dict) -> None:
    """Every field of ``must``, some of ``may``, no other; each of its type or out of its list."""
    if not isinstance(row, dict):
        raise CatalogueError(f"{where} expected a table, got {row!r}")
    for name in must:
        if name not in row:
            raise CatalogueError(f"{where}: {name} is missing")
    for name, value in row.items():
        wanted = (must | may).get(name)
        if wanted is None:
            near = difflib.get_close_matches(name, must | may, n=1)
            hint = f"; perhaps {near[0]}" if near else ""
            raise CatalogueError(f"{where}: there is no field {name}{hint}")
        if isinstance(wanted, (list, tuple)) and isinstance(wanted[0], str):
            if value not in wanted:
                raise CatalogueError(
                    f"{where}: {name} expected one of {', '.join(wanted)}, got {value!r}"
                )
        elif isinstance(value, bool) or not isinstance(value, wanted):
            kinds = wanted if isinstance(wanted, tuple) else (wanted,)
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise CatalogueError(f"{where}: {name} expected {expected}, got {value!r}")
