"""Linear: the affine map, of which most of a transformer is made."""

from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn import initialisers
from minitx.nn.module import Module, Parameter


class Linear(Module):
    """y = x W^T + b.

    x (..., d_in) -> (..., d_out); weight (d_out, d_in), bias (d_out,) or None. Both start from
    U(-a, a) with a = 1 / sqrt(d_in), as in PyTorch. ``rng`` is a seed or a generator.
    Raises ValueError for another last axis.
    """

    def __init__(self, d_in: int, d_out: int, bias: bool = True, *, rng: Any = None):
        rng, bound = backend.generator(rng), max(d_in, 1) ** -0.5
        self.weight = Parameter(initialisers.uniform(rng, (d_out, d_in), bound))
        self.bias = Parameter(initialisers.uniform(rng, (d_out,), bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        width = self.weight.shape[1]
        if x.shape[-1:] != (width,):
            raise ValueError(f"Linear expected (..., {width}), got {x.shape}")
        return F.linear(x, self.weight, self.bias)
