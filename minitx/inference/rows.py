"""The rows of a batch on threads, where nothing is learned: an encoder's forward pass on all cores.

NumPy lets other threads run while it computes, so each thread takes a part of the rows through the
model, every product on one core; the threads meet once, at the end.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from minitx import backend
from minitx.autograd.fused.panels import Panels
from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor, wrap
from minitx.backend.threads import blas_threads, can_start_threads, cores


def on_rows(function: Callable[..., Tensor], threads: int | None = None) -> Callable[..., Tensor]:
    """``function(*arrays)`` without gradients, parts of the rows side by side on threads.

    The arrays have one length B; ``function`` gives a Tensor (B, ...) whose rows do not depend on
    one another. ``threads`` is the number of cores unless told; where threads cannot be started
    there is one. The same number of threads gives the same bits on every run. The threads share
    the panels into which large weights are copied for the call, as much memory as the weights.
    Raises ValueError for fewer threads than 1, and for arrays of different lengths.
    """
    threads = cores() if threads is None else threads
    if threads < 1:
        raise ValueError(f"expected threads of 1 or more, got {threads}")

    def part(panels: Panels, arrays: list[Any]) -> Any:
        with no_grad(), panels.in_use():  # a thread begins with recording on
            return function(*arrays).data

    def parallel(*arrays: Any) -> Tensor:
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1:
            raise ValueError(f"expected arrays with as many rows each, got {sorted(lengths)}")
        (rows,) = lengths
        count = min(threads, rows) if can_start_threads() else 1
        if count < 2:
            with no_grad():
                return wrap(function(*arrays).data, None)
        edges = [rows * i // count for i in range(count + 1)]
        parts = [[x[a:b] for x in arrays] for a, b in zip(edges[:-1], edges[1:], strict=True)]
        with blas_threads(1), ThreadPoolExecutor(count) as pool:
            found = list(pool.map(partial(part, Panels(many=True)), parts))
        return wrap(backend.namespace(found[0]).concatenate(found), None)

    return parallel
