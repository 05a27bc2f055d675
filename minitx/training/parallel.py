"""Parts of a batch on threads: both cores at work, without a barrier at every operation.

NumPy lets other threads run while it computes. So each thread takes a part of the batch through
the model and back, and the gradients are added at the end. It presumes what holds of most losses:
that the loss of a batch is the mean over its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

from minitx import backend
from minitx.autograd.graph import Leaf, Node, mode, reverse_sweep
from minitx.autograd.primitive import Primitive
from minitx.autograd.record import listener
from minitx.autograd.spaces import raw
from minitx.autograd.tensor import Tensor, wrap
from minitx.autograd.tree import flatten
from minitx.backend.threads import blas_threads, can_start_threads, cores

Found = tuple[Any, dict[Leaf, Any]]  # what a part adds: to the loss, and to the gradients


def on_threads(
    loss: Callable[[Any, Any], Tensor], threads: int | None = None
) -> Callable[[Any, Any], Tensor]:
    """``loss(model, batch)``, the mean over parts of the batch, each part on a thread of its own.

    ``batch`` is a tree of arrays whose first axes have one length. ``threads`` is the number of
    cores unless told. The same number of threads gives the same bits on every run; another number
    differs by rounding. A model that draws random numbers (dropout) is run on one thread, since
    the order of its draws would be a matter of luck; so is one under ``no_grad`` or ``record``.
    Raises ValueError for fewer threads than 1, and for arrays of different numbers of rows.
    """
    threads = cores() if threads is None else threads
    if threads < 1:
        raise ValueError(f"expected threads of 1 or more, got {threads}")

    def parallel(model: Any, batch: Any) -> Tensor:
        parts = split(batch, threads)
        if len(parts) == 1 or not in_the_open() or not is_certain(model):
            return loss(model, batch)
        with blas_threads(1):
            return added(list(_pool(len(parts)).map(partial(swept, loss, model), *zip(*parts))))

    return parallel


def in_the_open() -> bool:
    """Whether threads can sweep back here: recording, no listener, no naive twins."""
    recording = mode.recording and not mode.naive and listener.tape is None
    return recording and can_start_threads()


def is_certain(model: Any) -> bool:
    """Whether ``model`` draws no random numbers."""
    return not any(True for _ in model.named_generators())


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="minitx")


def split(batch: Any, count: int) -> list[tuple[Any, float]]:
    """(part, its share of the rows) for each of up to ``count`` parts of nearly equal size."""
    leaves, build = flatten(batch)
    lengths = [len(leaf) for leaf in leaves]
    if len(set(lengths)) != 1:
        raise ValueError(f"expected a batch of arrays with as many rows each, got {lengths}")
    (rows,) = set(lengths)
    count = max(1, min(count, rows))
    edges = [rows * i // count for i in range(count + 1)]
    return [
        (build([leaf[start:stop] for leaf in leaves]), (stop - start) / rows)
        for start, stop in zip(edges[:-1], edges[1:], strict=True)
    ]


def swept(loss: Callable, model: Any, part: Any, share: float) -> Found:
    """What a part of a batch adds to the loss and, leaf by leaf, to its gradients."""
    value = loss(model, part)
    if value.node is None:
        return value.data * share, {}
    xp = backend.namespace(value.data)
    seed = xp.full_like(value.data, share)  # so that no gradient has to be scaled afterwards
    return value.data * share, reverse_sweep(raw(xp), {value.node: seed}, release=True)


def added(found: list[Found]) -> Tensor:
    """The loss of the whole batch, ready to hand on the sums of the parts' gradients."""
    gradients: dict[Leaf, Any] = {}
    for leaf in dict.fromkeys(leaf for _, part in found for leaf in part):
        first, *rest = (part[leaf] for _, part in found if leaf in part)
        # Two leaves may have one array, and another process's is not ours: a new one in any case
        gradients[leaf] = sum(rest, first) if rest else first.copy()
    return _ready(sum(value for value, _ in found), gradients)


class _Ready(Primitive):
    """A number whose gradients are known already; backward has only to hand them on, once."""

    def __init__(self, gradients: list[Any]):
        super().__init__("ready", lambda xp: None, None)
        self.gradients = gradients

    def pull(self, F: Any, node: Node, cotangent: Any, wanted: Any = None) -> list[Any]:
        if F.traced:
            raise RuntimeError("second derivatives need the loss without threads")
        if self.gradients is None:
            raise RuntimeError("a second backward() needs the loss without threads")
        gradients, self.gradients = self.gradients, None  # whoever gets them may add to them
        if float(cotangent) == 1.0:
            return gradients
        return [gradient * cotangent for gradient in gradients]


def _ready(value: Any, gradients: dict[Leaf, Any]) -> Tensor:
    array = backend.namespace(value).asarray(value)
    if not gradients:
        return wrap(array, None)
    known = _Ready(list(gradients.values()))
    return wrap(array, Node(known, list(gradients), (), None, {}, array.shape, array.dtype))
