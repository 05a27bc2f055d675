"""``minitx search "query" FILES...``: the passages of text files that are nearest in meaning."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from minitx.errors import UserError

DEFAULT_MODEL, DEFAULT_INDEX = "all-MiniLM-L6-v2", "minitx-index.safetensors"
_SHOWN_LINES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is looked for, where, and by which model."""
    parser.add_argument("query", help="what to look for, in words of your own")
    parser.add_argument("files", nargs="+", metavar="FILE", help="text files to look in")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder of a sentence encoder")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="passages to show (5)")
    parser.add_argument("--index", default=DEFAULT_INDEX, metavar="FILE", help="where vectors stay")


def run(args: argparse.Namespace) -> int:
    """Print the best passages, best first. Status 1 when the files have no text."""
    if not args.query.strip():
        raise UserError("expected a query, got an empty one")
    if args.top < 1:
        raise UserError(f"--top expected 1 or more, got {args.top}")
    if not args.index.endswith(".safetensors"):  # a slip must not write over a text
        raise UserError(f"--index expected a name that ends in .safetensors, got {args.index}")
    passages = _passages(args.files)
    if not passages:
        print("the files have no text", file=sys.stderr)
        return 1
    model = _model(args.model)
    vectors = _vectors(passages, model, Path(args.index))
    scores = vectors @ model.embed([args.query])[0]  # cosines: all vectors are of length 1
    for i in np.argsort(-scores, kind="stable")[: args.top]:
        print(_shown(scores[i], passages[i]))
    return 0


def _passages(files: list[str]) -> list[Any]:
    """All passages; a UserError names every file that is no text."""
    from minitx.pretrained.passages import read_text, split

    found, wrong = [], []
    for file in dict.fromkeys(files):
        try:
            found += split(read_text(file), file)
        except OSError as error:
            wrong.append(f"{file}: {error.strerror or error}")
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise UserError("cannot search in\n  " + "\n  ".join(wrong))
    return found


def _model(name: str) -> Any:
    from minitx import pretrained

    try:
        model = pretrained.load(name)
    except (OSError, ValueError) as error:
        raise UserError(f"--model {name}: {error}") from error
    if not hasattr(model, "embed"):
        raise UserError(
            f"--model {name} expected a sentence encoder (a folder with 1_Pooling/config.json), "
            f"got a {type(model.model).__name__}"
        )
    return model


def _vectors(passages: list[Any], model: Any, path: Path) -> np.ndarray:
    """A vector a passage; those that the index has are taken from it, and it is brought up."""
    from minitx.pretrained.index import BrokenIndex, Index, fingerprint

    index = Index(fingerprint(model.folder))
    try:
        if path.exists():
            index = Index.read(path, index.model)
    except BrokenIndex as error:
        print(f"minitx: {error}; it is built anew", file=sys.stderr)
    before = len(index.known)
    vectors = index.vectors([passage.text for passage in passages], model.embed)
    if len(index.known) > before:
        try:
            index.save(path)
        except OSError as error:
            print(f"minitx: the index was not written: {error}", file=sys.stderr)
    return vectors


def _shown(score: float, passage: Any) -> str:
    """Score, place and the first lines; nothing in a file may steer the terminal."""
    text = "".join(c if c.isprintable() else " " for c in passage.text)
    lines = textwrap.wrap(" ".join(text.split()), 92, break_on_hyphens=False)
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[: _SHOWN_LINES - 1], lines[_SHOWN_LINES - 1][:90] + " …"]
    return f"{score:.3f}  {passage.file}:{passage.line}\n" + textwrap.indent(
        "\n".join(lines), "    "
    )
