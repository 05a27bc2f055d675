"""Flat: parameters laid end to end in one buffer, so that an update runs over one long array.

A model has hundreds of small parameters and a few large ones. Laid end to end, they are updated
in pieces of one length: small enough that a dozen passes over a piece stay in the cache, long
enough that the cost of starting each pass disappears.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor

PIECE = 1 << 16  # numbers in a piece: 256 KiB of float32, within a core's second-level cache


class Flat:
    """Parameters of one precision and device as views of one buffer, with buffers as long beside.

    ``slots`` names those buffers (moments and the like), zero at the start. Complex parameters lie
    there as pairs of real numbers. ``counts`` says how often each parameter has been updated.
    """

    def __init__(self, parameters: Sequence[Tensor], slots: Sequence[str]):
        self.parameters = list(parameters)
        first = self.parameters[0].data
        self.xp, dtype = backend.namespace(first), first.real.dtype
        self.starts = [0]
        for parameter in self.parameters:
            parts = 2 if parameter.dtype.kind == "c" else 1
            self.starts.append(self.starts[-1] + parts * parameter.size)
        self.data = self.xp.empty(self.starts[-1], dtype)
        self.slots = {name: self.xp.zeros_like(self.data) for name in slots}
        self.piece = PIECE if self.parameters[0].device == "cpu" else max(self.starts[-1], 1)
        self.work = [self.xp.empty(self.piece, dtype) for _ in range(2)]
        self.counts = [0] * len(self.parameters)
        self.views = [None] * len(self.parameters)
        self.adopt()

    def adopt(self) -> None:
        """Make every parameter a view of the buffer again, where its array has been replaced.

        Raises RuntimeError when a parameter has changed its dtype or device meanwhile.
        """
        for i, parameter in enumerate(self.parameters):
            if parameter.data is self.views[i]:
                continue
            old, start, stop = parameter.data, self.starts[i], self.starts[i + 1]
            if backend.namespace(old) is not self.xp or old.real.dtype != self.data.dtype:
                raise RuntimeError(
                    f"a parameter was moved to {parameter.device} {old.dtype} after the optimiser "
                    "was made: make the optimiser after model.to(...)"
                )
            self.views[i] = self.data[start:stop].view(old.dtype).reshape(old.shape)
            self.views[i][...] = old
            parameter.data = self.views[i]

    def pieces(self) -> Iterator[tuple[slice, Any, int]]:
        """(slice, gradient there, number of this update) over all that has a gradient."""
        gradients = [self._gradient(parameter) for parameter in self.parameters]
        for first, last in self._runs(gradients):
            for low in range(self.starts[first], self.starts[last], self.piece):
                high = min(low + self.piece, self.starts[last])
                yield slice(low, high), self._gathered(gradients, low, high), self.counts[first]

    def _runs(self, gradients: list) -> Iterator[tuple[int, int]]:
        """Counts the update, and gives neighbours that have been updated equally often."""
        for i, gradient in enumerate(gradients):
            self.counts[i] += gradient is not None
        keys = [None if g is None else n for g, n in zip(gradients, self.counts, strict=True)]
        for key, run in groupby(range(len(keys)), key=keys.__getitem__):
            first, *others = run
            if key is not None:
                yield first, first + len(others) + 1

    def _gradient(self, parameter: Tensor) -> Any:
        gradient = parameter.node.grad if parameter.node is not None else None
        if gradient is None:
            return None
        return self.xp.ascontiguousarray(gradient).reshape(-1).view(self.data.dtype)

    def _gathered(self, gradients: list, low: int, high: int) -> Any:
        """The gradients of the numbers from low to high: a view of one, or a copy of several."""
        i = bisect_right(self.starts, low) - 1
        if high <= self.starts[i + 1]:
            return gradients[i][low - self.starts[i] : high - self.starts[i]]
        out, at = self.work[0][: high - low], low
        while at < high:
            end = min(self.starts[i + 1], high)
            out[at - low : end - low] = gradients[i][at - self.starts[i] : end - self.starts[i]]
            at, i = end, i + 1
        return out
