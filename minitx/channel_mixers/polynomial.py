"""Polynomial activations: a polynomial of a ReLU, or of normalised powers, with trained weights.

They are activations: ``MLP(d_model, activation=PolyReLU())``.
"""

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor


def polynomial(powers: list[Tensor], coefficients: Tensor) -> Tensor:
    """a_0 + a_1 p_1 + a_2 p_2 + ..., for powers p_i of one shape and coefficients (r + 1,)."""
    total = coefficients[0]
    for i, power in enumerate(powers, start=1):
        total = total + coefficients[i] * power
    return total


class PolyReLU(nn.Module):
    """a_0 + a_1 r + a_2 r^2 + a_3 r^3 with r = relu(x), number by number.

    The coefficients start at 0 and then 1 / order each.

    Source: Zhuo et al., "Polynomial Composition Activations" (2024): r = order.
    """

    def __init__(self, order: int = 3):
        self.coefficients = nn.Parameter(_start(order))

    def forward(self, x: Tensor) -> Tensor:
        r = F.relu(x)
        powers = [r]
        while len(powers) < self.coefficients.shape[0] - 1:
            powers.append(powers[-1] * r)
        return polynomial(powers, self.coefficients)


class PolyNorm(nn.Module):
    """a_0 + sum_i a_i x^i / rms(x^i): each power is normalised over the features by itself.

    Multiplying x by c > 0 changes nothing, so no power can explode.

    Source: Zhuo et al., "Polynomial Composition Activations" (2024): r = order.
    """

    def __init__(self, order: int = 3, eps: float = 1e-6):
        self.coefficients, self.eps = nn.Parameter(_start(order)), eps

    def forward(self, x: Tensor) -> Tensor:
        # x / max|x| has the same normalised powers, and they cannot overflow
        top = F.max(F.abs(x), -1, keepdims=True).detach()
        x = x / F.where(top > 0, top, 1)
        power, powers = x, []
        for _ in range(self.coefficients.shape[0] - 1):
            size = F.sqrt(F.mean(F.square(power), -1, keepdims=True) + self.eps**2)
            powers.append(power / size)
            power = power * x
        return polynomial(powers, self.coefficients)


def _start(order: int) -> np.ndarray:
    if order < 1:
        raise ValueError(f"expected an order of at least 1, got {order}")
    return np.array([0.0] + [1.0 / order] * order)
