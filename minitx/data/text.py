"""Real text: the English prose that ships inside Python, or any file; and windows of its ids.

The bundled prose is the help text of Python's ``pydoc`` (some 465,000 characters of technical
English); it differs a little between versions of Python.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from minitx.data.batch import Batch

Generator = np.random.Generator


def bundled_prose() -> str:
    """The help topics of Python's ``pydoc``, sorted by key, joined by a newline."""
    topics = importlib.import_module("pydoc_data.topics").topics
    return "\n".join(topics[key] for key in sorted(topics))


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, line ends as they are on Unix.

    Raises ``FileNotFoundError``, ``IsADirectoryError`` or ``ValueError`` (not UTF-8, or empty).
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} expected a text file, got a folder")
    if not path.is_file():
        raise FileNotFoundError(f"{path} expected a text file, found nothing there")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} expected UTF-8 text, got byte 0x{data[error.start]:02x} at {error.start}; "
            "save the file as UTF-8"
        ) from None
    if not text:
        raise ValueError(f"{path} expected some text, got an empty file")
    return text


def split(text: str, held_out: float = 0.1) -> tuple[str, str]:
    """The text without its end, and its end: the last ``held_out`` of the characters.

    Raises ``ValueError`` if either part would be empty.
    """
    cut = len(text) - round(len(text) * held_out)
    if not 0 < cut < len(text):
        raise ValueError(
            f"split expected to leave both parts some of {len(text)} characters, "
            f"got held_out = {held_out}"
        )
    return text[:cut], text[cut:]


class Windows:
    """Windows of ``length`` tokens of a long sequence of ids.

    ``batches`` draws them at random, to train; ``covering`` goes through them in order, to score.
    Raises ``ValueError`` if the ids are fewer than one window and its last target.
    """

    def __init__(self, ids: np.ndarray, length: int):
        self.ids = np.asarray(ids)
        if self.ids.ndim != 1 or not np.issubdtype(self.ids.dtype, np.integer):
            raise TypeError(
                f"expected ids (N,) of integers, got {self.ids.shape} of {self.ids.dtype}"
            )
        if length < 1:
            raise ValueError(f"a window expected a length of 1 or more, got {length}")
        if len(self.ids) <= length:
            raise ValueError(
                f"a text of {len(self.ids)} tokens is shorter than one window: "
                f"{length} tokens and the one after them"
            )
        self.ids = self.ids.astype(np.int64, copy=False)
        self.length = length

    def at(self, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets (B, T) of the windows that begin at ``starts`` (B,)."""
        where = np.asarray(starts)[:, None] + np.arange(self.length)  # (B, T)
        return self.ids[where], self.ids[where + 1]

    def batches(self, batch_size: int, rng: Generator) -> Iterator[Batch]:
        """Random windows without end. All that is random comes from ``rng``, at each step."""
        mask = np.ones((batch_size, self.length), dtype=bool)
        while True:
            starts = rng.integers(len(self.ids) - self.length, size=batch_size)
            yield Batch(*self.at(starts), mask)

    def covering(
        self, batch_size: int, first: int = 1, stride: int | None = None
    ) -> Iterator[Batch]:
        """Windows whose mask counts each of ``ids[first:]`` as a target exactly once.

        Each window counts at most its last ``stride`` targets (by default half the length), so
        that a token is predicted from at least ``length - stride`` before it, as far as there are
        any. To score held-out text in full, put it after the training text and let ``first`` be
        where it begins: its first token, too, then has something before it.
        """
        stride = max(1, self.length // 2) if stride is None else stride
        if not 1 <= stride <= self.length:
            raise ValueError(f"stride expected 1 to {self.length}, got {stride}")
        if not 1 <= first < len(self.ids):
            raise ValueError(f"first expected 1 to {len(self.ids) - 1}, got {first}")
        counted = self._counted(first, stride)
        for i in range(0, len(counted), batch_size):
            begin, end = np.array(counted[i : i + batch_size]).T[:, :, None]  # (B, 1)
            starts = np.maximum(end - 1 - self.length, 0)
            place = starts + 1 + np.arange(self.length)  # (B, T), where a target stands
            yield Batch(*self.at(starts[:, 0]), (place >= begin) & (place < end))

    def _counted(self, first: int, stride: int) -> list[tuple[int, int]]:
        """Spans of targets, one a window; the first window of a text counts all it has."""
        spans, begin = [], first
        while begin < len(self.ids):
            end = min(max(begin + stride, self.length + 1), len(self.ids))
            spans.append((begin, end))
            begin = end
        return spans
