"""The overhead of one small operation (forward, graph, backward) beside PyTorch eager.

An operation is a chain of 20 of its kind on 8 x 8 matrices that starts at a leaf and is swept back
once, so that the cost of starting a sweep is shared as it is in a model.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import add, matmul, mul

import numpy as np

from tests.benchmarks.work import Programs, Work, lazily

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


def pair(name: str) -> Programs:
    """A chain of one operation, in both."""

    def step(tanh: Callable) -> Callable:
        steps = {"add": add, "mul": mul, "tanh": lambda y, o: tanh(y), "matmul 8x8": matmul}
        return steps[name]

    def minitx() -> Callable[[], object]:
        from minitx import functional as F

        return _ours(step(F.tanh))

    def torch() -> Callable[[], object]:
        import torch

        return _theirs(step(torch.tanh))

    return {"minitx": lazily(minitx), "torch": lazily(torch)}


def works(threads: int) -> Iterator[Work]:
    for name in ("add", "mul", "tanh", "matmul 8x8"):
        yield Work(f"small {name}", partial(pair, name), targets={1: 1.0})
