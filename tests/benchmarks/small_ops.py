"""The overhead of one small operation (forward, graph, backward) beside PyTorch eager.

    python -m tests.benchmarks.small_ops [seconds]

prints microseconds per operation for both, and their ratio, the median over alternating rounds.
An operation is a chain of 20 of its kind on 8 x 8 matrices that starts at a leaf and is swept back
once, so that the cost of starting a sweep is shared as it is in a model.
"""

import statistics
import sys
from collections.abc import Callable, Iterator

import numpy as np

from tests.benchmarks.work import Work

LENGTH = 20


def _ours(step: Callable) -> Callable[[], object]:
    from minitx.autograd import Tensor

    start = np.full((8, 8), 0.1, np.float32)
    x = Tensor(start, requires_grad=True)
    other = Tensor(start, requires_grad=True)
    seed = np.ones((8, 8), np.float32)

    def program():
        y = x
        for _ in range(LENGTH):
            y = step(y, other)
        y.backward(seed)
        x.grad = other.grad = None

    return program


def _theirs(step: Callable) -> Callable[[], object]:
    import torch

    x = torch.full((8, 8), 0.1, requires_grad=True)
    other = torch.full((8, 8), 0.1, requires_grad=True)
    seed = torch.ones(8, 8)

    def program():
        y = x
        for _ in range(LENGTH):
            y = step(y, other)
        y.backward(seed)
        x.grad = other.grad = None

    return program


def programs() -> dict[str, Callable[[], dict[str, Callable]]]:
    """name -> function that makes the two programs."""
    import torch

    from minitx import functional as F

    steps = {
        "add": (lambda y, o: y + o, lambda y, o: y + o),
        "mul": (lambda y, o: y * o, lambda y, o: y * o),
        "tanh": (lambda y, o: F.tanh(y), lambda y, o: torch.tanh(y)),
        "matmul 8x8": (lambda y, o: y @ o, lambda y, o: y @ o),
    }
    return {
        name: lambda ours=ours, theirs=theirs: {"minitx": _ours(ours), "torch": _theirs(theirs)}
        for name, (ours, theirs) in steps.items()
    }


def works(threads: int) -> Iterator[Work]:
    for name, make in programs().items():
        yield Work(f"small {name}", make, {1: 1.0})


def main(seconds: float = 3.0) -> None:
    """Measure all, print a line each."""
    import torch

    from tests.benchmarks.harness import alternate, ratio

    torch.set_num_threads(1)
    for name, make in programs().items():
        taken = alternate(make(), "cpu", seconds)
        ours, theirs = (
            1e6 * statistics.median(t) / LENGTH for t in (taken["minitx"], taken["torch"])
        )
        print(
            f"{name:<12} minitx {ours:6.2f} us  torch {theirs:6.2f} us  "
            f"ratio {ratio(taken['minitx'], taken['torch']):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
