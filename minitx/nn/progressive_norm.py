"""A batch norm that can be folded away, and a way to train with it: begin with a layer norm.

In evaluation a batch norm is an affine map of each channel with fixed numbers, so that the Linear
behind it can take it in, and no norm is left. Trained from scratch it is less stable than a layer
norm; so the norm starts as the one and becomes the other.
"""

import numpy as np

from minitx.autograd.tensor import Tensor
from minitx.nn.linear import Linear
from minitx.nn.module import Buffer, Module, Parameter
from minitx.nn.normalisation import BatchNorm, LayerNorm


class RepBatchNorm(Module):
    """BN(x) + eta x, with one trained number eta (1 at the start). x (..., D) -> (..., D).

    Source: Guo et al., "SLAB" (2024): RepBN.
    """

    def __init__(self, d_model: int):
        self.batch_norm = BatchNorm(d_model)
        self.eta = Parameter(np.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.batch_norm(x) + self.eta * x

    def affine(self) -> tuple[np.ndarray, np.ndarray]:
        """(a, b) with ``self(x) = a x + b`` in evaluation; (D,) each, in float64."""
        norm = self.batch_norm
        weight, bias, mean, var = (
            x.numpy().astype(np.float64)
            for x in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        )
        slope = weight / np.sqrt(var + norm.eps)
        return slope + float(self.eta.numpy()), bias - slope * mean


class ProgressiveNorm(Module):
    """share * LN(x) + (1 - share) * RepBN(x) in training; RepBN(x) in evaluation.

    x (..., D) -> (..., D). ``share`` is 1 at the start; ``set_share`` lowers it in a whole model.

    Source: Guo et al., "SLAB" (2024): PRepBN, gamma_t = share.
    """

    def __init__(self, d_model: int):
        self.layer_norm, self.rep = LayerNorm(d_model), RepBatchNorm(d_model)
        self.share = Buffer(np.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.rep(x)
        return self.share * self.layer_norm(x) + (1 - self.share) * self.rep(x)


def set_share(model: Module, step: int, steps: int, warm_up: int = 0) -> float:
    """Set the share of every ProgressiveNorm: 1 for ``warm_up`` steps, then down to 0 in ``steps``.

    Returns the share. Raises ValueError for less than one step.
    """
    if steps < 1:
        raise ValueError(f"set_share expected at least 1 step from 1 to 0, got {steps}")
    share = min(1.0, max(0.0, (warm_up + steps - step) / steps))
    for part in model.modules():
        if isinstance(part, ProgressiveNorm):
            part.share.assign(np.full((), share, part.share.dtype))
    return share


def fold(norm: RepBatchNorm | ProgressiveNorm, *linears: Linear) -> None:
    """Take ``norm`` into the Linears that follow it, in place: W <- W diag(a), b <- b + W b'.

    From then on ``linear(x)`` is what ``linear(norm(x))`` was in evaluation. Raises ValueError for
    another width.
    """
    slope, offset = (norm.rep if isinstance(norm, ProgressiveNorm) else norm).affine()
    for linear in linears:
        weight = linear.weight.numpy()
        if weight.shape[1:] != slope.shape:
            raise ValueError(f"fold expected a Linear from {len(slope)}, got one {weight.shape}")
        bias = weight @ offset
        if linear.bias is not None:
            bias = bias + linear.bias.numpy()
        linear.weight.assign((weight * slope).astype(weight.dtype))
        if linear.bias is None:
            linear.bias = Parameter(bias, dtype=weight.dtype)
        else:
            linear.bias.assign(bias.astype(weight.dtype))
