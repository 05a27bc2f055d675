"""Polynomial activations: products from four units, degrees that multiply, a smooth function."""

from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.channel_mixers.polynomial import PolyNorm, PolyReLU
from minitx.experiments import part
from minitx.training.adam import Adam


def with_coefficients(*coefficients: float) -> PolyReLU:
    """PolyReLU with these numbers for a_0, a_1, ..."""
    unit = PolyReLU(len(coefficients) - 1)
    unit.coefficients.assign(np.array(coefficients))
    return unit


def product(x: Tensor, y: Tensor) -> Tensor:
    """x y = ((x + y)^2 - (x - y)^2) / 4, each square two units: s^2 = relu(s)^2 + relu(-s)^2."""
    square = with_coefficients(0, 0, 1, 0)
    plus, minus = x + y, x - y
    return (square(plus) + square(-plus) - square(minus) - square(-minus)) / 4


def straight_pieces(x: np.ndarray, m: int) -> np.ndarray:
    """The best function of m straight pieces for x^2 on [0, 1]: the chords, lowered by h^2 / 8.

    On each piece the error is largest, h^2 / 8, at both ends and, with the other sign, in the
    middle: three alternations, which no straight line can better (Chebyshev).
    """
    knots = np.linspace(0, 1, m + 1)
    return np.interp(x, knots, knots**2) - 1 / (8 * m**2)


@part(1)
def products_and_pieces(seed: int = 0) -> dict[str, float]:
    line = np.linspace(-1, 1, 101)
    x, y = (grid.ravel() for grid in np.meshgrid(line, line))
    missed = np.abs(product(Tensor(x), Tensor(y)).numpy() - x * y).max()
    pieces = np.array([2, 4, 8, 16, 32])
    fine = np.linspace(0, 1, 64 * 32 + 1)  # has all knots and all middles
    errors = np.array([np.abs(straight_pieces(fine, m) - fine**2).max() for m in pieces])
    slope = np.polyfit(np.log(pieces), np.log(errors), 1)[0]
    relative = np.abs(errors * 8 * pieces**2 - 1).max()
    return {"product": missed, "straight pieces": relative, "slope": slope}


@part(2)
def chebyshev(seed: int = 0) -> float:
    cubic = with_coefficients(0, -3, 0, 4)  # T_3(x) = 4 x^3 - 3 x, which is odd

    def layer(x: Tensor) -> Tensor:
        return cubic(x) - cubic(-x)

    x = np.linspace(-1, 1, 1001)
    expected = np.polynomial.chebyshev.chebval(x, [0] * 9 + [1])  # T_9 = T_3 of T_3
    return float(np.abs(layer(layer(Tensor(x))).numpy() - expected).max())


def smooth(points: np.ndarray) -> np.ndarray:
    """The function to be learnt, of points (N, 2) in [-1, 1]^2."""
    x, y = points.T
    return np.sin(2 * x) * np.cos(y) + x * y


def error_after(activation: Callable, seed: int, lr: float = 0.01, steps: int = 2000) -> float:
    """Mean squared error of 32 hidden units on new points, after ``steps`` of Adam.

    The learning rate falls in a straight line from 0.01 to 0.
    """
    rng = np.random.default_rng(seed)
    train, test = rng.uniform(-1, 1, (256, 2)), rng.uniform(-1, 1, (1024, 2))
    up, down = nn.Linear(2, 32, rng=rng), nn.Linear(32, 1, rng=rng)
    own = activation.parameters() if isinstance(activation, nn.Module) else []
    optimiser = Adam([*up.parameters(), *down.parameters(), *own], lr=lr)
    x, y = Tensor(train), Tensor(smooth(train)[:, None])
    for step in range(steps):
        optimiser.zero_grad()
        F.mean(F.square(down(activation(up(x))) - y)).backward()
        optimiser.step(1 - step / steps)
    wrong = down(activation(up(Tensor(test)))).numpy()[:, 0] - smooth(test)
    return float(np.mean(wrong**2))


@part(3)
def regression(seed: int = 0) -> float:
    return error_after(PolyReLU(), seed) / error_after(F.relu, seed)


@part(4)
def bounded(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    excess, change = -np.inf, 0.0
    for scale in (1e-2, 1.0, 1e2, 1e4):
        unit, x = PolyNorm(), Tensor(scale * rng.standard_normal((50, 24)))
        coefficients = rng.standard_normal(4)
        unit.coefficients.assign(coefficients)
        size = np.sqrt(np.mean(unit(x).numpy() ** 2, axis=-1))
        excess = max(excess, float((size - np.abs(coefficients).sum()).max()))
        unit.coefficients.assign(np.array([0, *coefficients[1:]]))
        change = max(change, float(np.abs(unit(x * 10).numpy() - unit(x).numpy()).max()))
    return {"bound": excess, "scale": change}
