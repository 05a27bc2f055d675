"""Containers: Sequential. (A plain list or dictionary of Modules is a container already.)"""

from collections.abc import Callable, Iterator
from typing import Any

from minitx.nn.module import Module


class Sequential(Module):
    """f_n(... f_2(f_1(x))), for Modules and plain functions.

    Its parts are named by their numbers, as in PyTorch: "0.weight".
    """

    def __init__(self, *parts: Callable[[Any], Any]):
        wrong = [part for part in parts if not callable(part)]
        if wrong:
            raise TypeError(f"Sequential expected Modules or functions, got {wrong[0]!r:.60}")
        self.parts = list(parts)

    def forward(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x

    def children(self) -> Iterator[tuple[str, Module]]:
        """(number, part) for every part that is a Module."""
        return ((str(i), part) for i, part in enumerate(self.parts) if isinstance(part, Module))

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> Any:
        return self.parts[index]
