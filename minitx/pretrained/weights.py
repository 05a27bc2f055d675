"""Tensors from safetensors files, one or several, with nothing believed that was not checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minitx.errors import missing_extra
from minitx.tokens.files import expect, read_json

WHOLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_PICKLES = ("*.bin", "*.bin.index.json", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
_PICKLED = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Stored:
    """A tensor as it lies in a file: its bytes, and what they mean."""

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    data: Any = field(repr=False)

    def array(self, dtype: Any) -> np.ndarray:
        """The numbers in ``dtype``; raises ValueError for NaN, infinity, or no real numbers."""
        if self.dtype not in _FLOATS:
            raise ValueError(
                f"{self.file}: {self.name} expected one of {', '.join(_FLOATS)}, got {self.dtype}"
            )
        raw = np.frombuffer(self.data, _FLOATS[self.dtype])
        if self.dtype == "BF16":  # the upper half of a float32
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        if not np.isfinite(raw).all():
            raise ValueError(f"{self.file}: {self.name} has numbers that are NaN or infinite")
        return raw.reshape(self.shape).astype(dtype, copy=False)


def read_weights(folder: Path) -> dict[str, Stored]:
    """name -> tensor, for all tensors of ``model.safetensors`` or of the shards of a model.

    Raises FileNotFoundError if there are none, ValueError for a pickle, a damaged file, or an index
    and shards that do not belong together.
    """
    if (folder / WHOLE).is_file():
        return read_file(folder / WHOLE)
    if (folder / SHARDED).is_file():
        return _read_shards(folder)
    for pattern in _PICKLES:
        for path in sorted(folder.glob(pattern)):
            _refuse_pickle(path)
    raise FileNotFoundError(f"{folder} expected {WHOLE} or {SHARDED}, found neither")


def read_file(path: Path) -> dict[str, Stored]:
    """name -> tensor, for all tensors of one safetensors file."""
    try:
        import safetensors
    except ImportError:
        raise missing_extra("pretrained", "safetensors") from None
    content = path.read_bytes()
    if content.startswith(_PICKLED):
        _refuse_pickle(path)
    try:
        found = safetensors.deserialize(content)
    except (safetensors.SafetensorError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no whole safetensors file: {error}") from None
    return {
        name: Stored(name, path, info["dtype"], tuple(info["shape"]), info["data"])
        for name, info in found
    }


def _refuse_pickle(path: Path) -> None:
    raise ValueError(
        f"{path} is a pickle, and opening a pickle can run any code that is in it: minitx reads "
        "safetensors alone. Where you trust the file, load it with transformers and write it with "
        "model.save_pretrained(folder, safe_serialization=True)."
    )


def _read_shards(folder: Path) -> dict[str, Stored]:
    path = folder / SHARDED
    listed = expect(read_json(path).get("weight_map"), dict, f"{path}: weight_map")
    found: dict[str, Stored] = {}
    for file in sorted(set(map(str, listed.values()))):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise ValueError(f"{path} expected names of safetensors files beside it, got {file!r}")
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{path} names the file {file}, which is missing")
        shard = read_file(folder / file)
        expected = {name for name, place in listed.items() if place == file}
        _same_names(f"{folder / file} and {SHARDED}", expected, shard)
        found |= shard
    return found


def _same_names(where: str, expected: Iterable[str], got: Mapping[str, Any]) -> None:
    missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
    if missing or extra:
        raise ValueError(
            f"{where} do not belong together: missing {missing[:5]}, not listed {extra[:5]}"
        )
