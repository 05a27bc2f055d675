"""Causal linear attention by chunks, forward and backward, in minitx and in PyTorch.

The referee is the same algorithm as its users write it in PyTorch: all chunks in one batched
product, a cumulative sum for the states, and the framework's own backward computation.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tests.benchmarks.work import Work

LENGTH, WIDTH, CHUNK = 8192, 64, 64


def torch_linear_attention(q, k, v, chunk: int):
    """(q k^T, masked) v within chunks, q S from the chunks before; (B, H, T, d), chunk | T."""
    import torch

    shape = v.shape
    q, k, v = (x.unflatten(2, (-1, chunk)) for x in (q, k, v))  # (B, H, N, C, d)
    states = (k.mT @ v).cumsum(2)
    states = torch.cat([torch.zeros_like(states[:, :, :1]), states[:, :, :-1]], 2)
    return ((q @ k.mT).tril() @ v + q @ states).reshape(shape)


def pair(heads: int = 1) -> dict[str, Callable[[], object]]:
    """The two programs, on the same numbers; they agree in value and gradient."""
    import torch

    from minitx import Tensor
    from minitx import functional as F

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((1, heads, LENGTH, WIDTH), dtype=np.float32) for _ in range(4)]
    *ours, seed = (Tensor(x, requires_grad=i < 3) for i, x in enumerate(arrays))
    *theirs, torch_seed = (torch.tensor(x, requires_grad=i < 3) for i, x in enumerate(arrays))

    def minitx_program():
        for x in ours:
            x.grad = None
        y = F.linear_attention(*ours, chunk=CHUNK)
        y.backward(seed)
        return y

    def torch_program():
        for x in theirs:
            x.grad = None
        y = torch_linear_attention(*theirs, CHUNK)
        y.backward(torch_seed)
        return y

    found = minitx_program().numpy(), torch_program().detach().numpy()
    found = [found, *((a.grad.numpy(), b.grad.numpy()) for a, b in zip(ours, theirs, strict=True))]
    for a, b in found:
        if np.abs(a - b).max() > 1e-4 * np.abs(b).max():
            raise AssertionError("minitx and PyTorch computed different numbers")
    return {"minitx": minitx_program, "torch": torch_program}


def works(threads: int) -> Iterator[Work]:
    """One head, where a product of a chunk is small, and eight."""
    for heads, name in ((1, "linear attention 8,192"), (8, "linear attention 8,192, 8 heads")):
        yield Work(name, partial(pair, heads), targets={1: 1.0, 2: 1.1})
