"""Text files as passages: paragraphs, and windows of those that are too long for one vector."""

import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Up to twelve characters of a word, or one character of a script that writes without spaces: a
# count of these is a fair guess at a count of tokens, and takes no tokenizer.
_PIECE = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\s\u2e80-\u9fff\uac00-\ud7af]{1,12}"
)
_GAP = re.compile(r"\n[^\S\n]*\n\s*")


class Passage(NamedTuple):
    """A piece of a text, the file that it is from, and its first line, from 1."""

    file: str
    line: int
    text: str


def read_text(file: str | Path) -> str:
    """The text of a file. Raises OSError if it cannot be read, ValueError if it is no text."""
    content = Path(file).read_bytes()
    if b"\0" in content:
        raise ValueError(f"{file} expected text, got a binary file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} expected UTF-8 text, got byte {error.start} that is not"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split(text: str, file: str = "", size: int = 150, overlap: int = 30) -> list[Passage]:
    """The passages of a text: its paragraphs, those longer than ``size`` words in windows.

    Each window repeats the last ``overlap`` words of the one before it, so that no sentence is cut
    in all of them.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"expected an overlap from 0 to {size - 1}, got {overlap}")
    ends = [end.start() for end in re.finditer("\n", text)]
    return [
        Passage(file, bisect(ends, first) + 1, text[first:last])
        for start, stop in _paragraphs(text)
        for first, last in _windows(text, start, stop, size, overlap)
    ]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Where each run of lines that are not blank starts and stops."""
    start = 0
    for gap in [*_GAP.finditer(text), None]:
        stop = len(text) if gap is None else gap.start()
        if text[start:stop].strip():
            yield start, stop
        start = stop if gap is None else gap.end()


def _windows(
    text: str, start: int, stop: int, size: int, overlap: int
) -> Iterator[tuple[int, int]]:
    """Where each window of a paragraph starts and stops; the last may be short."""
    pieces = [piece.span() for piece in _PIECE.finditer(text, start, stop)]
    for first in range(0, max(len(pieces) - overlap, 1), size - overlap):
        last = min(first + size, len(pieces)) - 1
        yield pieces[first][0], pieces[last][1]
