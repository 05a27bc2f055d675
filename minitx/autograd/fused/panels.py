"""Matrix products by panels of 64 columns, which BLAS is at its best with.

    A (N, K), B (K, M):   B in M / 64 panels (K, 64), A in blocks of a few rows; each meets each

BLAS copies a large matrix piece by piece into an order that suits it, at every call, and takes a
small one as it lies in memory. On processors with AVX-512, OpenBLAS multiplies small ones faster,
too: it keeps 64 columns of four rows in registers all the way along K. So there a large product
takes 0.85 to 0.95 of its time when it is cut into small ones; the sums are the same, rounded in
another order. Few rows gain most, since they leave a product waiting for the weight: whoever
multiplies by the same weights again and again (a state of decoding) keeps their panels.

Source: the sizes that OpenBLAS takes as small, github.com/OpenMathLib/OpenBLAS/pull/3335 (2021).
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitx import backend
from minitx.autograd.graph import mode
from minitx.autograd.tensor import Tensor
from minitx.backend.arena import Arena
from minitx.backend.threads import small_products_are_fast

_WIDTH = 64  # columns of a panel: four registers of 16 numbers
_MOST = 1_000_000  # multiplications that BLAS does without copying
_DEEPEST = _MOST // (4 * _WIDTH)  # rows of a panel, so that it can meet four rows at once
_ENOUGH = 384  # rows that repay a copy of the other matrix
_DEPTH = 1024  # how far a product goes at once along rows that lie apart in memory
_BAD = 1024  # bytes: rows a multiple of this apart push one another out of the cache
_FEW = 32  # rows of a step of decoding, at most, and the columns of a panel for them
_LEAST = 1 << 17  # numbers in a weight whose panels are worth keeping


def product(xp: Any, a: Any, b: Any) -> Any:
    """a @ b, (N, K) and (K, M) -> (N, M): by panels where that is faster."""
    if not _pays(a, b):
        return a @ b
    y, many = xp.empty((len(a), b.shape[1]), a.dtype), len(a) >= _ENOUGH
    deep = len(b) if a.flags.c_contiguous else _DEPTH
    for start in range(0, len(b), deep):
        part = slice(start, start + deep)
        panels = _copied(xp, b[part], _WIDTH) if many else _cut(b[part], _WIDTH)
        found = xp.empty_like(y) if start else y
        _times(xp, a[:, part], panels, b[part], found)
        if start:
            y += found
    return y


def _pays(a: Any, b: Any) -> bool:
    """Whether ``product`` cuts: where BLAS gains by it, and by more than the copies take."""
    (rows, depth), width = a.shape, b.shape[1]
    if rows * depth * width < 2 * _MOST or min(rows, depth, width) < _WIDTH:
        return False
    if a.flags.c_contiguous:
        good = depth <= _DEEPEST and (rows >= _ENOUGH or b.flags.c_contiguous)
    else:  # a transposed matrix, whose columns are read as rows
        good = a.flags.f_contiguous and b.flags.c_contiguous
    alike = a.dtype == b.dtype and a.dtype.char in "fd"
    return good and alike and _on_cpu(a) and small_products_are_fast()


def _on_cpu(array: Any) -> bool:
    return backend.device_of(array) == "cpu"


def _cut(b: Any, width: int) -> Any:
    """B (K, M) in panels (M // width, K, width), as it lies."""
    count = b.shape[1] // width
    return b[:, : count * width].reshape(len(b), count, width).swapaxes(0, 1)


def _copied(xp: Any, b: Any, width: int) -> Any:
    """The same, each panel in one piece of memory."""
    if b.strides[1] % _BAD == 0:  # B is a transposed matrix: lay its rows a little further apart
        apart = xp.empty((b.shape[1], len(b) + 16), b.dtype)[:, : len(b)]
        apart[...] = b.T
        b = apart.T
    return xp.ascontiguousarray(_cut(b, width))


def _times(xp: Any, a: Any, panels: Any, b: Any, y: Any) -> None:
    """Y (N, M) = A (N, K) B (K, M), by panels (n, K, w) and B for what they leave out of M."""
    (rows, depth), (count, _, each) = a.shape, panels.shape
    width, most = count * each, _MOST // (each * depth)
    block = most // 12 * 12 or most // 4 * 4
    whole = rows // block * block if rows > most else 0
    if whole:
        blocks = a[:whole].reshape(-1, 1, block, depth)
        out = y[:whole, :width].reshape(-1, block, count, each).swapaxes(1, 2)
        xp.matmul(blocks, panels, out=out)
    if whole < rows:
        out = y[whole:, :width].reshape(-1, count, each).swapaxes(0, 1)
        xp.matmul(a[whole:], panels, out=out)
    if width < y.shape[1]:
        xp.matmul(a, b[:, width:], out=y[:, width:])


# ------------------------------------------------------------------------- panels that are kept


class Panels:
    """The panels of the weights met so far; made when a weight is met for the second time.

    They suit few rows; ``many=True`` has them wider, made the first time, and used for many rows
    alone. They take as much memory as the weights. Use: ``with panels.in_use(): ...``; then
    ``linear`` asks ``kept``. Threads may share them; a copy begins without any.

    A weight is known by its array and by its node, so after ``assign`` it is another, and after
    ``changed`` if it is trained. A frozen one has no node: do not write into it meanwhile.
    """

    def __init__(self, many: bool = False) -> None:
        self.many = many
        self._held: dict[int, tuple[Any, Any, Any]] = {}  # (ref of array, node, panels or None)
        self._arena, self._lock = Arena(), threading.Lock()

    def __reduce__(self) -> tuple:
        return Panels, (self.many,)

    def __len__(self) -> int:
        return sum(panels is not None for _, _, panels in self._held.values())

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within the block, products are made with these panels, unless they are recorded."""
        before, _here.panels = _here.panels, self
        try:
            yield
        finally:
            _here.panels = before

    def of(self, weight: Tensor) -> Any:
        """The panels of ``weight``, or None when it is met for the first time."""
        array, node = weight.data, weight.node
        with self._lock:
            known, its_node, panels = self._held.get(id(array), (lambda: None, None, None))
            met = known() is array and its_node is node
            if not met or panels is None:
                panels = self._made(array) if met or self.many else None
                self._held[id(array)] = (weakref.ref(array), node, panels)
            return panels

    def _made(self, weight: Any) -> Any:
        xp = backend.namespace(weight)
        parts = _copied(xp, weight.T, _WIDTH if self.many else _FEW)
        panels = self._arena.empty(xp, parts.shape, weight.dtype)
        panels[...] = parts
        return panels


class _Here(threading.local):
    panels: Panels | None = None


_here = _Here()


def kept(rows: Any, weight: Tensor) -> Any:
    """rows W^T (N, D_out) by panels in use; None where there are none or they would not help."""
    count, (out, width) = len(rows), weight.data.shape
    if _here.panels is None or count < 2 or mode.recording or weight.data.size < _LEAST:
        return None
    if width > _DEEPEST or out < _WIDTH or rows.dtype.char not in "fd" or not _on_cpu(rows):
        return None
    if count > _FEW and not small_products_are_fast():
        return None
    if _here.panels.many and count < _ENOUGH:
        return None
    panels = _here.panels.of(weight)
    if panels is None:
        return None
    xp = backend.namespace(rows)
    y = xp.empty((count, out), rows.dtype)
    _times(xp, rows, panels, weight.data.T, y)
    return y
