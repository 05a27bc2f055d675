"""Clipping: keep one bad batch from throwing the parameters far away."""

import math
from collections.abc import Iterable
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor


def global_norm(parameters: Iterable[Tensor]) -> float:
    """sqrt(sum of g^2) over all gradients of all parameters, as if they were one vector."""
    gradients = [g.reshape(-1) for g in _gradients(parameters)]
    return math.sqrt(sum(float(backend.namespace(g).vdot(g, g).real) for g in gradients))


def clip_norm(parameters: Iterable[Tensor], limit: float) -> float:
    """Scale all gradients by min(1, limit / norm), in place; returns the norm that they had.

    The direction stays. A norm that is not finite is returned and nothing is changed.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
    (2013): threshold = limit.
    """
    _expect_positive(limit)
    parameters = list(parameters)
    norm = global_norm(parameters)
    if limit < norm < math.inf:
        for gradient in _gradients(parameters):
            gradient *= limit / norm
    return norm


def clip_value(parameters: Iterable[Tensor], limit: float) -> None:
    """Bring every entry of every real gradient to between -limit and limit, in place."""
    _expect_positive(limit)
    for gradient in _gradients(parameters):
        backend.namespace(gradient).clip(gradient, -limit, limit, out=gradient)


def _gradients(parameters: Iterable[Tensor]) -> list[Any]:
    leaves = [p.node for p in parameters if p.node is not None]
    return [leaf.grad for leaf in leaves if leaf.grad is not None]


def _expect_positive(limit: float) -> None:
    if not limit > 0:
        raise ValueError(f"clipping expected a limit > 0, got {limit}")
