"""``minitx papers [WORDS]``: the papers of the book, all or those that all words fit."""

import argparse
import sys

from minitx import catalogue
from minitx.catalogue import Paper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", help="words that must all occur in a row, or the key of one"
    )


def run(args: argparse.Namespace) -> int:
    """A line a paper; the whole row where one is left. Status 1 when nothing fits."""
    words = " ".join(args.words)
    papers = catalogue.load()
    found = [paper for paper in papers if paper.key == words] or catalogue.search(words, papers)
    if not found:
        print(f"no paper has all of: {words}", file=sys.stderr)
        return 1
    if len(found) == 1:
        print(row(found[0]))
        return 0
    key = max(len(paper.key) for paper in found)
    chapter = max(len(paper.chapter) for paper in found)
    for paper in found:
        print(f"{paper.key:<{key}}  {paper.year}  {paper.chapter:<{chapter}}  {paper.title}")
    return 0


def row(paper: Paper) -> str:
    """Everything that the catalogue says of a paper."""
    fields = {
        "authors": ", ".join(paper.authors),
        "year": str(paper.year),
        "arXiv": paper.arxiv,
        "chapter": paper.chapter,
        "contract": paper.contract.replace("_", " "),
        "traits": ", ".join(paper.traits),
        "code": ", ".join(paper.code),
        "page": paper.page,
        "exercise": paper.exercise,
        "claim": paper.claim.strip(),
    }
    lines = [f"{paper.key}: {paper.title}"]
    lines += [f"  {name:<9} {value}" for name, value in fields.items() if value]
    for part in paper.parts:
        wanted = "; ".join(
            (f"{m.name} " if len(part.measures) > 1 else "") + m.wanted() for m in part.measures
        )
        lines.append(f"  part {part.number:<4} {part.text.strip()} [{part.kind}: {wanted}]")
        if part.failure:
            lines.append(f"            not reproduced: {part.failure.reason}")
    return "\n".join(lines)
