"""``config.json``, read with care: every question says what it expects, and names what it got.

What a config asks for is either built or refused by name. A setting that is passed over in silence
would change what the model says in silence.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minitx.tokens.files import read_json

_LARGEST = 2**31 - 1
_ACTIVATIONS = {  # their name -> ours
    "gelu": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}


class Config:
    """The settings of a model; ``where`` names the file in errors."""

    def __init__(self, values: Mapping[str, Any], where: str):
        self.values, self.where = values, where

    @classmethod
    def read(cls, path: Path) -> "Config":
        """The settings in a file; FileNotFoundError or ValueError if there are none."""
        if not path.is_file():
            raise FileNotFoundError(f"{path.parent} expected a file {path.name}, found none")
        return cls(read_json(path), str(path))

    def refuse(self, name: str, expected: str) -> None:
        """Raise the ValueError that names a setting, what it is and what was expected."""
        raise ValueError(
            f"{self.where}: {name} expected {expected}, got {self.values.get(name)!r:.80}"
        )

    def whole(self, name: str, default: int | None = None, most: int = _LARGEST) -> int:
        """A whole number from 1 to ``most``; a setting that is absent or null is the default."""
        value = self.values.get(name)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            self.refuse(name, f"a whole number from 1 to {most}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number greater than 0."""
        value = self.values.get(name)
        value = default if value is None else value
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not 0 < value < math.inf:
            self.refuse(name, "a number greater than 0")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """True or False."""
        value = self.values.get(name)
        value = default if value is None else value
        if not isinstance(value, bool):
            self.refuse(name, "true or false")
        return value

    def only(self, name: str, *allowed: Any) -> None:
        """Refuse any value but these; absent is fine."""
        if name in self.values and self.values[name] not in allowed:
            self.refuse(name, " or ".join(map(repr, allowed)) + " (no other is implemented)")

    def activation(self, name: str, default: str) -> str:
        """Our name of an activation."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or value not in _ACTIVATIONS:
            self.refuse(name, f"one of {', '.join(_ACTIVATIONS)}")
        return _ACTIVATIONS[value]

    def part(self, name: str) -> "Config | None":
        """The settings within a setting, or None if it is absent, null or empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            self.refuse(name, "an object")
        return Config(value, f"{self.where}: {name}") if value else None

    def heads(self, d_model: str, num_heads: str) -> int:
        """How many heads; they must divide the width."""
        if self.whole(d_model) % self.whole(num_heads):
            self.refuse(num_heads, f"a divisor of {d_model} = {self.whole(d_model)}")
        return self.whole(num_heads)

    def labels(self) -> int:
        """How many classes a classifier tells apart (two unless told)."""
        names = self.part("id2label")
        return len(names.values) if names is not None else self.whole("num_labels", 2)

    @property
    def architecture(self) -> str:
        """The class that wrote the file, such as "BertForMaskedLM"; "" if it does not say."""
        names = self.values.get("architectures") or [""]
        if not isinstance(names, list) or not isinstance(names[0], str):
            self.refuse("architectures", "a list of names")
        return names[0]
