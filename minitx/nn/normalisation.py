"""Normalisation: numbers of mean 0 and size 1, over a token, a group of channels, or a batch."""

from typing import Any

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.module import Buffer, Module, Parameter


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, over the numbers of one token.

    x (..., D) -> (..., D); weight and bias (D,) start at 1 and 0.
    Raises ValueError for another last axis.

    Source: Ba, Kiros and Hinton, "Layer Normalization" (2016): g = weight, b = bias.
    """

    def __init__(self, d_model: int, eps: float = 1e-5):
        self.weight, self.bias = Parameter(np.ones(d_model)), Parameter(np.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        _expect_width(self, x)
        return F.layer_norm(x, self.weight, self.bias, self.eps)


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) * weight, over the numbers of one token: no mean is taken off.

    x (..., D) -> (..., D); weight (D,) starts at 1. Raises ValueError for another last axis.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019): g = weight.
    """

    def __init__(self, d_model: int, eps: float = 1e-6):
        self.weight, self.eps = Parameter(np.ones(d_model)), eps

    def forward(self, x: Tensor) -> Tensor:
        _expect_width(self, x)
        return F.rms_norm(x, self.weight, self.eps)


class GroupNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, over all places of one group of channels.

    x (B, ..., D) -> (B, ..., D), the D channels in ``num_groups`` groups; weight and bias (D,).
    Raises ValueError when the groups do not divide D, or for another last axis.

    Source: Wu and He, "Group Normalization" (2018): G = num_groups.
    """

    def __init__(self, num_groups: int, d_model: int, eps: float = 1e-5):
        if num_groups < 1 or d_model % num_groups:
            raise ValueError(f"GroupNorm expected groups that divide {d_model}, got {num_groups}")
        self.weight, self.bias = Parameter(np.ones(d_model)), Parameter(np.zeros(d_model))
        self.num_groups, self.eps = num_groups, eps

    def forward(self, x: Tensor) -> Tensor:
        _expect_width(self, x)
        grouped = F.reshape(x, (x.shape[0], -1, self.num_groups, x.shape[-1] // self.num_groups))
        y = _standardise(grouped, (1, 3), self.eps)[0]  # (B, places, groups, D / groups)
        return F.reshape(y, x.shape) * self.weight + self.bias


class BatchNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, per channel, over all places of the batch.

    x (..., D) -> (..., D). In training mean and variance are the batch's, and the running ones move
    towards them by ``momentum`` (PyTorch's meaning: the share of the new); in evaluation they are
    the running ones. The running variance is the unbiased one (n - 1).
    Raises ValueError for another last axis, and in training for a batch of one place.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015): gamma = weight, beta = bias.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1):
        self.weight, self.bias = Parameter(np.ones(d_model)), Parameter(np.zeros(d_model))
        self.running_mean, self.running_var = Buffer(np.zeros(d_model)), Buffer(np.ones(d_model))
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Tensor) -> Tensor:
        _expect_width(self, x)
        if self.training:
            rows = F.reshape(x, (-1, x.shape[-1]))
            if rows.shape[0] < 2:
                raise ValueError(f"BatchNorm expected two places or more to train, got {x.shape}")
            y, mean, var = _standardise(rows, 0, self.eps)
            self._gather(mean, var, rows.shape[0])
            y = F.reshape(y, x.shape)
        else:
            y = (x - self.running_mean) / F.sqrt(self.running_var + self.eps)
        return y * self.weight + self.bias

    def _gather(self, mean: Tensor, var: Tensor, n: int) -> None:
        for running, seen, factor in (
            (self.running_mean, mean, 1.0),
            (self.running_var, var, n / (n - 1)),
        ):
            found = factor * seen.data.reshape(running.shape)
            running.assign((1 - self.momentum) * running.data + self.momentum * found)


def _standardise(x: Tensor, axis: Any, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(var + eps) over ``axis``, with that mean and variance."""
    mean = F.mean(x, axis, keepdims=True)
    centred = x - mean
    var = F.mean(F.square(centred), axis, keepdims=True)
    return centred / F.sqrt(var + eps), mean, var


def _expect_width(norm: Module, x: Tensor) -> None:
    if x.shape[-1:] != norm.weight.shape:
        name, width = type(norm).__name__, norm.weight.shape[0]
        raise ValueError(f"{name} expected (..., {width}), got {x.shape}")
