"""Causal linear attention by chunks, forward and backward, in minitx and in PyTorch.

The referee is the same algorithm as its users write it in PyTorch: all chunks in one batched
product, a cumulative sum for the states, and the framework's own backward computation.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tests.benchmarks.work import Programs, Work, lazily

LENGTH, WIDTH, CHUNK = 8192, 64, 64


def torch_linear_attention(q, k, v, chunk: int):
    """(q k^T, masked) v within chunks, q S from the chunks before; (B, H, T, d), chunk | T."""
    import torch

    shape = v.shape
    q, k, v = (x.unflatten(2, (-1, chunk)) for x in (q, k, v))  # (B, H, N, C, d)
    states = (k.mT @ v).cumsum(2)
    states = torch.cat([torch.zeros_like(states[:, :, :1]), states[:, :, :-1]], 2)
    return ((q @ k.mT).tril() @ v + q @ states).reshape(shape)


def pair(heads: int = 1) -> Programs:
    """The two programs, on the same numbers; they agree in value and gradient."""
    rng = np.random.default_rng(0)
    *arrays, seed = (rng.standard_normal((1, heads, LENGTH, WIDTH), np.float32) for _ in range(4))

    def minitx() -> Callable[[], list]:
        from minitx import Tensor
        from minitx import functional as F

        leaves = [Tensor(x, requires_grad=True) for x in arrays]

        def program() -> list:
            for x in leaves:
                x.grad = None
            y = F.linear_attention(*leaves, chunk=CHUNK)
            y.backward(seed)
            return [y, *(x.grad for x in leaves)]

        return program

    def torch() -> Callable[[], list]:
        import torch

        leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
        cotangent = torch.from_numpy(seed)

        def program() -> list:
            for x in leaves:
                x.grad = None
            y = torch_linear_attention(*leaves, CHUNK)
            y.backward(cotangent)
            return [y.detach(), *(x.grad for x in leaves)]

        for a, b in zip(minitx()(), program(), strict=True):
            if np.abs(a.numpy() - b.numpy()).max() > 1e-4 * np.abs(b.numpy()).max():
                raise AssertionError("minitx and PyTorch computed different numbers")
        return program

    return {"minitx": lazily(minitx), "torch": lazily(torch)}


def works(threads: int) -> Iterator[Work]:
    """One head, where a product of a chunk is small, and eight."""
    for heads, name in ((1, "linear attention 8,192"), (8, "linear attention 8,192, 8 heads")):
        yield Work(name, partial(pair, heads), targets={1: 1.0, 2: 1.1})
