"""Weights laid out anew for few rows: what a step of decoding meets them with, again and again.

    W (D_out, D_in)  ->  panels (D_out / 32, D_in, 32):   (x W^T)[:, 32 i : 32 i + 32] = x panel_i

Few rows leave a matrix product waiting for the weight. BLAS copies a large matrix piece by piece
into an order that suits it, at every call, and takes a small one as it lies in memory; panels are
small and lie in that order. They cost a second copy of the weight and the time to make it, so
they are kept by whoever uses the same weights many times: the state of a decoding.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitx import backend
from minitx.autograd.graph import mode
from minitx.autograd.tensor import Tensor
from minitx.backend.arena import Arena

_WIDTH = 32  # columns of a panel
_LEAST = 1 << 17  # numbers in a weight that is worth the effort
_MOST = 1_000_000  # multiplications with a panel that BLAS does without copying


class Panels:
    """The panels of the weights met so far; made when a weight is met for the second time.

    A weight is known by its array and by its node, so after ``assign`` or ``changed`` it is
    another. Use: ``with panels.in_use(): ...``; then ``linear`` asks ``product``.
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[Any, Any, Any]] = {}  # (array, node, its panels or None)
        self._arena = Arena()

    def __len__(self) -> int:
        return sum(panels is not None for _, _, panels in self._held.values())

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within the block, products of few rows are made with panels, unless recorded."""
        before, _here.panels = _here.panels, self
        try:
            yield
        finally:
            _here.panels = before

    def of(self, weight: Tensor) -> Any:
        """The panels of ``weight``, or None when it is met for the first time."""
        array, node = weight.data, weight.node
        known, its_node, panels = self._held.get(id(array), (None, None, None))
        if known is not array or its_node is not node:
            self._held[id(array)], panels = (array, node, None), None
        elif panels is None:
            panels = self._made(array)
            self._held[id(array)] = (array, node, panels)
        return panels

    def _made(self, weight: Any) -> Any:
        """(D_out, D_in) -> (D_out // 32, D_in, 32); what is left over of D_out is left out."""
        count = len(weight) // _WIDTH
        parts = weight[: count * _WIDTH].reshape(count, _WIDTH, weight.shape[1]).swapaxes(1, 2)
        panels = self._arena.empty(backend.namespace(weight), parts.shape, weight.dtype)
        panels[...] = parts
        return panels


class _Here(threading.local):
    panels: Panels | None = None


_here = _Here()


def product(rows: Any, weight: Tensor) -> Any:
    """rows W^T (N, D_out) by panels; None where they are not in use or would not help."""
    count, (out, width) = len(rows), weight.data.shape
    if _here.panels is None or count == 1 or mode.recording or weight.data.size < _LEAST:
        return None
    if count * width * _WIDTH > _MOST or backend.device_of(rows) != "cpu" or rows.dtype.kind != "f":
        return None
    panels = _here.panels.of(weight)
    if panels is None:
        return None
    xp, whole = backend.namespace(rows), len(panels) * _WIDTH
    y = xp.empty((count, out), rows.dtype)
    columns = y[:, :whole].reshape(count, len(panels), _WIDTH).swapaxes(0, 1)
    xp.matmul(rows, panels, out=columns)
    if whole < out:
        xp.matmul(rows, weight.data[whole:].T, out=y[:, whole:])
    return y
