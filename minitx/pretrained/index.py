"""An index of vectors on disk: a text that was embedded once is not embedded again.

One safetensors file: the vectors, and beside them the hash of each text and of the model that made
them. A text is known by its content, so files may move, and of a changed file only what changed is
embedded again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitx.errors import missing_extra

FORM = "minitx-index-1"
KEPT = 20_000  # vectors of earlier searches that stay in the file: 30 MB at 384 numbers each


class BrokenIndex(ValueError):
    """The file is damaged, or was written with another model: it can be built anew."""


class Index:
    """Hash of a text -> unit vector, for one model.

    >>> index = Index("a model's fingerprint")
    >>> index.vectors(["a text", "a text"], lambda new: np.ones((len(new), 2))).shape
    (2, 2)
    >>> list(index.known.values())[0]
    array([1., 1.])
    """

    def __init__(self, model: str, known: dict[str, np.ndarray] | None = None):
        self.model, self.known = model, known or {}

    def vectors(self, texts: Sequence[str], embed: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        """N texts -> (N, D). ``embed`` is called with those that are not known, each once."""
        keys = [_digest(text.encode("utf-8", "surrogatepass")) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self.known}
        if new:
            self.known |= dict(zip(new, embed(list(new.values())), strict=True))
        for key in dict.fromkeys(keys):  # what was asked for last stands last, and stays longest
            self.known[key] = self.known.pop(key)
        return np.stack([self.known[key] for key in keys])

    def save(self, path: str | Path, kept: int = KEPT) -> None:
        """Write the file whole or not at all; of more than ``kept`` vectors the oldest go."""
        rows = dict(list(self.known.items())[-kept:])
        header = {"form": FORM, "model": self.model, "texts": json.dumps(list(rows))}
        content = _safetensors().numpy.save(
            {"vectors": np.stack(list(rows.values()))}, metadata=header
        )
        path = Path(path)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: str | Path, model: str) -> "Index":
        """What ``save`` wrote.

        Raises BrokenIndex if the file is damaged or another model's, ValueError if it is a good
        file of something else, which should not be written over.
        """
        library = _safetensors()
        try:
            with library.safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
                vectors = file.get_tensor("vectors") if header.get("form") == FORM else None
            keys = json.loads(header.get("texts", "null"))
        except (library.SafetensorError, ValueError, RecursionError, UnicodeError) as error:
            raise BrokenIndex(f"{path} cannot be read: {error}") from None
        if vectors is None:
            raise ValueError(f"{path} expected the form {FORM!r}, got {header.get('form')!r:.60}")
        if not _fits(keys, vectors):
            raise BrokenIndex(f"{path} cannot be read: its texts and vectors do not fit")
        if header.get("model") != model:
            raise BrokenIndex(f"{path} was made with another model")
        return cls(model, dict(zip(keys, vectors, strict=True)))


def fingerprint(folder: str | Path) -> str:
    """A hash of all files of a model that its vectors depend on."""
    total = hashlib.sha256()
    for pattern in ("*.json", "*.txt", "*.safetensors", "*/config.json"):
        for path in sorted(Path(folder).glob(pattern)):
            with open(path, "rb") as file:
                total.update(f"{path.name} ".encode())
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _fits(keys: object, vectors: np.ndarray) -> bool:
    good = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    good = good and vectors.ndim == 2 and len(vectors) == len(keys) == len(set(keys))
    good = good and vectors.dtype == np.float32 and np.isfinite(vectors).all()
    return bool(good and np.allclose(np.vecdot(vectors, vectors), 1, atol=1e-3))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise missing_extra("pretrained", "safetensors") from None
    return safetensors
