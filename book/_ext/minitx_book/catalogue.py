"""What the book reads of the project's data: the catalogue, measured values, the table of checks.

The rows and results are read by `minitx.catalogue`, which also checks them. The table of checks is
`book/_data/battery.json`: a list of `{"contract", "variant", "check", "result"}`, where a result is
"pass", "fail", or "none" for a check that the variant does not owe. It may be absent, and so may
results: then there is nothing to show yet.
"""

import ast
import json
import re
from pathlib import Path


def folder(root: Path) -> Path:
    return root / "minitx" / "catalogue"


def read_papers(root: Path) -> list:
    from minitx.catalogue import load

    return list(load(folder(root)))


def read_results(root: Path) -> dict:
    from minitx.catalogue import results

    return results.read(folder(root) / "results.json")


def read_battery(root: Path) -> list[dict]:
    path = root / "book" / "_data" / "battery.json"
    return json.loads(path.read_text("utf8")) if path.exists() else []


def plain(text: str) -> str:
    """Text of the catalogue as Markdown in which no character means more than itself."""
    return re.sub(r"([\\`*_{}\[\]<>$|~#])", r"\\\1", " ".join(text.split()))


def source_link(root: Path, repository: str, code: str) -> str | None:
    """The address of `minitx.positions.rotary:Rotary` in the repository, with its line.

    None if there is no such file or no such name at the top of it.
    """
    module, _, name = code.partition(":")
    path = root.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    line = _line_of(path, name) if path.exists() else None
    return f"{repository}/blob/main/{path.relative_to(root).as_posix()}#L{line}" if line else None


def _line_of(path: Path, name: str) -> int | None:
    for node in ast.parse(path.read_text("utf8")).body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        names = [getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)]
        if name in names:
            return node.lineno
    return None


def bibtex(papers: list) -> str:
    """The bibliography, one `@misc` a paper."""
    entries = []
    for paper in papers:
        fields = {
            "author": " and ".join(paper.authors),
            "title": "{" + paper.title + "}",
            "year": paper.year,
        }
        if paper.arxiv:
            fields |= {"eprint": paper.arxiv, "archiveprefix": "arXiv"}
        body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items())
        entries.append(f"@misc{{{paper.key},\n{body}}}\n")
    return "\n".join(entries)
