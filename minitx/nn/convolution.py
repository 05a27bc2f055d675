"""Convolutions: one small affine map, applied at every place of a sequence or an image."""

import math
from collections.abc import Callable
from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn import initialisers
from minitx.nn.module import Module, Parameter


class _Conv(Module):
    """What the two share; ``apply`` is the function, ``axes`` how many axes the kernel has."""

    apply: Callable
    axes: int

    def __init__(
        self,
        d_in: int,
        d_out: int,
        kernel: Any,
        *,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        rng: Any = None,
    ):
        name, rng = type(self).__name__, backend.generator(rng)
        if groups < 1 or d_in % groups or d_out % groups:
            raise ValueError(f"{name} expected groups that divide {d_in}, {d_out}, got {groups}")
        kernel = (kernel,) * self.axes if isinstance(kernel, int) else tuple(kernel)
        if len(kernel) != self.axes or min(kernel) < 1:
            raise ValueError(f"{name} expected a kernel of {self.axes} lengths, got {kernel}")
        self.how = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
        shape = (d_out, d_in // groups, *kernel)
        bound = 1 / math.sqrt(max(initialisers.fans(shape)[0], 1))
        self.weight = Parameter(initialisers.uniform(rng, shape, bound))
        self.bias = Parameter(initialisers.uniform(rng, (d_out,), bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        width = self.weight.shape[1] * self.how["groups"]
        if x.ndim != self.axes + 2 or x.shape[-1] != width:
            places = "(B, T, " if self.axes == 1 else "(B, H, W, "
            raise ValueError(f"{type(self).__name__} expected {places}{width}), got {x.shape}")
        return type(self).apply(x, self.weight, self.bias, **self.how)


class Conv1d(_Conv):
    """y[t, o] = b[o] + sum over k, c of w[o, c, k] x[t stride + k dilation - padding, c].

    x (B, T, d_in) -> (B, T', d_out): channels last. weight (d_out, d_in / groups, K) and bias
    (d_out,) start from U(-a, a), a = 1 / sqrt(fan_in), as in PyTorch. padding: a number, "same",
    "causal" or "valid". Raises ValueError for another number of channels.
    """

    apply, axes = staticmethod(F.conv1d), 1


class Conv2d(_Conv):
    """The same over images: x (B, H, W, d_in) -> (B, H', W', d_out), channels last.

    weight (d_out, d_in / groups, K, K'). Kernel, stride, padding and dilation are one number for
    both axes or one each.
    """

    apply, axes = staticmethod(F.conv2d), 2
