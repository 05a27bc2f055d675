"""A device on which kernels run: it compiles them when they are first asked for, and keeps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

FOLDER = Path(__file__).parent
COVERED = (numpy.float32, numpy.float64)


def source(unit: str) -> str:
    """The whole text of a kernel file: what all begin with, what attention begins with, itself."""
    parts = ["block.cuh", *(["tile.cuh"] if unit.startswith("attention") else []), f"{unit}.cu"]
    return "\n".join((FOLDER / part).read_text(encoding="utf-8") for part in parts)


def macros(dtype: Any, sizes: dict[str, int]) -> list[str]:
    """The compiler's options that fix the type of numbers and the sizes of tiles."""
    real = {"float32": "float", "float64": "double"}[numpy.dtype(dtype).name]
    return [f"-DReal={real}", *(f"-D{name}={size}" for name, size in sizes.items())]


class Device:
    """Launches kernels on the arrays of one library, ``xp``; subclasses say how one is compiled.

    ``capturing``: a step is being captured, so nothing may be read or copied between host and
    device. ``clock`` holds two numbers on the device that a replayed step is told anew: a factor
    of the learning rate, and how many updates there have been since the step was captured.
    ``precision`` is that of matrix products (``backend.matmul_precision``).
    """

    def __init__(self, xp: Any):
        self.xp = xp
        self.capturing = False
        self.clock: Any = None
        self.precision = "float32"
        self._functions: dict[tuple, Any] = {}

    def record(self, step: Callable[[], Any], warm: int) -> Any:
        """Run ``step`` ``warm`` times, then capture it; what comes back has ``launch()``."""
        raise NotImplementedError

    def compile(self, unit: str, name: str, options: list[str]) -> Any:
        """A function of (blocks, threads, arguments) that runs kernel ``name`` of a file."""
        raise NotImplementedError

    def covers(self, *arrays: Any) -> bool:
        """Whether these are non-empty arrays of this device, of one type that kernels know."""
        first = arrays[0]
        return first.dtype in COVERED and all(
            type(x) is type(first) and x.dtype == first.dtype and x.size for x in arrays
        )

    def launch(
        self, kernel: str, dtype: Any, blocks: Any, threads: int, *args: Any, **sizes: int
    ) -> None:
        """Run ``kernel``, "file/name", with ``threads`` threads in each of ``blocks`` blocks.

        Integers are passed as long long, floats as double, None as a null pointer.
        """
        key = (kernel, dtype, *sizes.items())
        found = self._functions.get(key)
        if found is None:
            unit, name = kernel.split("/")
            found = self._functions[key] = self.compile(unit, name, macros(dtype, sizes))
        blocks = blocks if isinstance(blocks, tuple) else (blocks,)
        found(blocks, (threads,), tuple(_argument(x) for x in args))

    def product(self, a: Any, b: Any) -> Any:
        """The matrix product a @ b at the precision that was chosen."""
        return a @ b

    def adam(self, *given: Any) -> bool:
        """Update parameters in place (see ``kernels.adam``); False if that is not covered."""
        from minitx.backend.kernels.adam import adam

        return adam(self, *given)

    def numbers(self) -> Any:
        """The clock; outside a capture it stands still at (1, 0)."""
        if self.clock is None:
            self.clock = self.xp.asarray(numpy.array([1.0, 0.0]))
        return self.clock


def _argument(value: Any) -> Any:
    if value is None:
        return numpy.int64(0)
    if isinstance(value, (bool, int)):
        return numpy.int64(value)
    return numpy.float64(value) if isinstance(value, float) else value


def layout(array: Any) -> numpy.ndarray:
    """The strides of an array (B, H, T, S), in numbers and 0 where an axis has length 1, as a
    ``Layout`` that is passed by value; zeros for None."""
    strides = [0] * 4
    if array is not None:
        strides = [
            stride // array.dtype.itemsize if length > 1 else 0
            for stride, length in zip(array.strides, array.shape, strict=True)
        ]
    return numpy.array(strides, numpy.int64).view([(name, "i8") for name in "bhts"])


def row_threads(width: int) -> int:
    """Threads of a block that works on a row: about four numbers for each, in whole warps."""
    return min(512, 32 * -(-width // 128))
