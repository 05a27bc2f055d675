"""Which of their tensors make which of ours: the table that each family of models writes.

A row says what their tensors are called, which shapes they must have, and how ours comes of them.
Everything is compared with a file before a model is built.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minitx.nn.module import Module
from minitx.pretrained.weights import Stored

Shapes = dict[str, tuple[int, ...]]


class Row(NamedTuple):
    """One of our tensors: their names with shapes, and the function from their arrays to ours."""

    parts: Shapes
    make: Callable[..., np.ndarray]


class Table(dict[str, Row]):
    """Our name -> Row, with a method for each way in which layers are stored."""

    def add(self, ours: str, parts: Shapes, make: Callable[..., np.ndarray] = lambda x: x) -> None:
        """One row."""
        self[ours] = Row(parts, make)

    def linear(self, ours: str, theirs: str, d_in: int, d_out: int, bias: bool = True) -> None:
        """A Linear, stored as (d_out, d_in)."""
        self.joined(ours, {theirs: d_out}, d_in, bias)

    def joined(self, ours: str, theirs: Mapping[str, int], d_in: int, bias: bool = True) -> None:
        """A Linear whose rows are those of several of theirs: {their name: their d_out}."""
        self.add(f"{ours}.weight", {f"{n}.weight": (d, d_in) for n, d in theirs.items()}, _join)
        if bias:
            self.add(f"{ours}.bias", {f"{n}.bias": (d,) for n, d in theirs.items()}, _join)

    def turned(self, ours: str, theirs: str, d_in: int, d_out: int) -> None:
        """A Linear, stored as (d_in, d_out)."""
        self.add(f"{ours}.weight", {f"{theirs}.weight": (d_in, d_out)}, np.transpose)
        self.add(f"{ours}.bias", {f"{theirs}.bias": (d_out,)})

    def norm(self, ours: str, theirs: str, width: int, bias: bool = True) -> None:
        """A LayerNorm, or an RMSNorm (which has no bias)."""
        self.add(f"{ours}.weight", {f"{theirs}.weight": (width,)})
        if bias:
            self.add(f"{ours}.bias", {f"{theirs}.bias": (width,)})

    def convert(self, tensors: Mapping[str, Stored], dtype: Any) -> dict[str, np.ndarray]:
        """Our name -> array; the tensors have been checked."""
        return {
            ours: row.make(*(tensors[name].array(dtype) for name in row.parts))
            for ours, row in self.items()
        }


def _join(*arrays: np.ndarray) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


@dataclass(frozen=True)
class Recipe:
    """All that a family says about one config.

    prefix: what names may begin with. renamed: patterns of old spellings. aliases: names of tensors
    that are another one again (tied weights). unused: a pattern of tensors that belong to something
    that is not built (the head of another task, a constant that is computed here).
    """

    table: Table
    build: Callable[[], Module]
    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    unused: str = "(?!)"

    def sort(
        self, tensors: Mapping[str, Stored], where: str
    ) -> tuple[dict[str, Stored], list[str]]:
        """The tensors under the names of the table, and the names of those not used.

        Raises ValueError that lists what is missing, not known or of another shape.
        """
        found = self._resolved(tensors, where)
        wanted = {name: shape for row in self.table.values() for name, shape in row.parts.items()}
        rest = [name for name in found if name not in wanted]
        unused = [name for name in rest if re.fullmatch(self.unused, name)]
        problems = [f"{name}: missing" for name in wanted if name not in found]
        problems += [f"{name}: not known" for name in rest if name not in unused]
        problems += [
            f"{name}: expected shape {shape}, got {found[name].shape}"
            for name, shape in wanted.items()
            if name in found and found[name].shape != shape
        ]
        if problems:
            more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
            listed = "\n  ".join(problems[:20])
            raise ValueError(f"{where}: the tensors do not fit config.json:\n  {listed}{more}")
        return {name: found[name] for name in wanted}, unused

    def _resolved(self, tensors: Mapping[str, Stored], where: str) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        for name, tensor in tensors.items():
            plain = name.removeprefix(self.prefix)
            for old, new in self.renamed.items():
                plain = re.sub(old, new, plain)
            if plain in found:
                raise ValueError(f"{where}: {found[plain].name} and {name} are the same tensor")
            found[plain] = tensor
        for alias, original in self.aliases.items():
            if alias in found:
                copy = found.pop(alias)
                if found.setdefault(original, copy).data != copy.data:
                    raise ValueError(
                        f"{where}: {alias} and {original} expected to be one tensor, they differ"
                    )
        return found


class Undrawn(np.random.Generator):
    """A generator that draws zeros: weights that come from a file need no luck, and no time."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def standard_normal(self, size: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Zeros, of the shape asked for."""
        return np.zeros(() if size is None else size, np.float32)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Zeros, of the shape asked for."""
        return np.zeros(() if size is None else size, np.float32)
