"""Read the catalogue of papers, the measured values and the table of checks.

- `minitx/catalogue/<chapter>.toml`: `[[paper]]` rows, each with its `[[paper.part]]` claims.
- `minitx/catalogue/results.json`: `{key: {part id: {"value", "passed", "seeds", "seconds",
  "machine", "reason"}}}`; `passed` false is a recorded failure, and `reason` says why.
- `book/_data/battery.json`: a list of `{"contract", "variant", "check", "result"}`, where the
  result is "pass", "fail" or "none" for a check that the variant does not owe.

Each may be absent, and then there is nothing to show yet.
"""

import ast
import json
import tomllib
from pathlib import Path


def read_papers(root: Path) -> list[dict]:
    """All rows, in the order of the files and of the rows in them."""
    rows = []
    for path in sorted((root / "minitx" / "catalogue").glob("*.toml")):
        for row in tomllib.loads(path.read_text("utf8")).get("paper", []):
            rows.append({"chapter": path.stem, "part": [], **row})
    return rows


def read_results(root: Path) -> dict:
    return _read_json(root / "minitx" / "catalogue" / "results.json", {})


def read_battery(root: Path) -> list[dict]:
    return _read_json(root / "book" / "_data" / "battery.json", [])


def _read_json(path: Path, absent):
    return json.loads(path.read_text("utf8")) if path.exists() else absent


def source_link(root: Path, repository: str, code: str) -> str | None:
    """The address of `minitx.positions.rotary:Rotary` in the repository, with its line.

    None if there is no such file or no such name at the top of it.
    """
    module, _, name = code.partition(":")
    path = root.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.exists():
        return None
    line = _line_of(path, name.split(".")[0]) if name else 1
    return f"{repository}/blob/main/{path.relative_to(root).as_posix()}#L{line}" if line else None


def _line_of(path: Path, name: str) -> int | None:
    for node in ast.parse(path.read_text("utf8")).body:
        if getattr(node, "name", None) == name:
            return node.lineno
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if any(getattr(target, "id", None) == name for target in targets):
            return node.lineno
    return None


def authors_of(row: dict) -> list[str]:
    """The authors as a list; the catalogue has a list, or one string with `and` and commas."""
    authors = row.get("authors", [])
    if isinstance(authors, str):
        authors = authors.replace(" and ", ", ").split(",")
    return [name.strip() for name in authors if name.strip()]


def bibtex(rows: list[dict]) -> str:
    """The bibliography, one `@misc` a paper."""
    entries = []
    for row in rows:
        authors = [name for name in authors_of(row) if name not in ("et al.", "others")]
        if any("et al" in name for name in authors_of(row)):
            authors = [name.removesuffix(" et al.") for name in authors] + ["others"]
        fields = {
            "author": " and ".join(authors),
            "title": "{" + row["title"] + "}",
            "year": row["year"],
        }
        if arxiv := row.get("arxiv"):
            fields |= {"eprint": arxiv, "archiveprefix": "arXiv"}
            fields |= {"url": f"https://arxiv.org/abs/{arxiv}"}
        body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items())
        entries.append(f"@misc{{{row['key']},\n{body}}}\n")
    return "\n".join(entries)
