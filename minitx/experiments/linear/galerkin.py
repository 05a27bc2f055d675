"""Attention as quadrature: what it projects onto, how it sees a finer grid, what it costs.

Burgers' equation carries a random state u(x, 0) to u(x, 1). Three operators learn that map from
160 examples on a grid of 128 points, alike but for their attention; 40 more examples are held out.

Softmax attention has an advantage there. By Cole and Hopf u(x, t) is a mean of (x - y) / t over y,
with weights exp(-(x - y)^2 / (4 nu t) - U(y) / (2 nu)), where U is the integral of u(y, 0): the
solution is itself a softmax over the points.
"""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from minitx import data, nn, no_grad
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import Residual
from minitx.context import Context, TokenMixer
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.token_mixers import FourierAttention, GalerkinAttention, MultiHeadAttention
from minitx.training.adam import AdamW
from minitx.training.schedules import warm_up_cosine

D, HEADS = 32, 4
POINTS, WIDTH = 128, 64  # of the operators that learn
Rng = np.random.Generator


def midpoints(n: int) -> np.ndarray:
    """The middles of n equal cells of [0, 1]."""
    return (np.arange(n) + 0.5) / n


# ------------------------------------------------------------------------ 1: a projection


def sines(points: np.ndarray, count: int) -> np.ndarray:
    """sqrt(2) sin(k pi x) for k = 1 ... count, orthonormal on [0, 1]: (n, count)."""
    return np.sqrt(2) * np.sin(np.pi * points[:, None] * np.arange(1, count + 1))


@part(1)
def projection(seed: int = 0, n: int = 256, count: int = 8) -> dict[str, float]:
    """Both products without norms, Q = K = sines, against least squares on their span."""
    rng, x = np.random.default_rng(seed), midpoints(n)
    q = sines(x, count)
    v = np.exp(np.sin(2 * np.pi * (x[:, None] * rng.integers(1, 4, 5) + rng.random(5))))  # (n, 5)
    expected = q @ np.linalg.lstsq(q, v, rcond=None)[0]
    heads = [Tensor(z[None, None], dtype=np.float64) for z in (q, q, v)]
    found = {
        cls: cls(count, 1, rng=0).product(*heads).numpy()[0, 0] / n
        for cls in (GalerkinAttention, FourierAttention)
    }
    galerkin, fourier = found.values()
    return {
        "least squares": np.abs(galerkin - expected).max(),
        "Fourier": np.abs(fourier - galerkin).max(),
    }


# ------------------------------------------------------------------------ 2: a finer grid


def outputs(mixer: TokenMixer, lift: np.ndarray, n: int) -> np.ndarray:
    """What the mixer makes of one smooth function, sampled at 0, 1/n, ...: (n, D)."""
    x = np.arange(n) / n
    values = np.stack([np.exp(np.sin(2 * np.pi * x)), x * (1 - x), x], axis=-1) @ lift
    with no_grad():
        tokens = Tensor(values[None], dtype=np.float64)
        return mixer(tokens, Context(coords=x[None, :, None])).numpy()[0]


@part(2)
def refinement(seed: int = 0) -> dict[str, float]:
    """From 64 to 1024 points, at the 64 places that they share, against the limit.

    The exponent of the difference with the number of points, for the worse type; and that of the
    output's size when the weight 1/n is left out. The limit is extrapolated from 1024 and 2048
    points, as errors that halve allow.
    """
    rng, sizes = np.random.default_rng(seed), 2 ** np.arange(6, 12)
    lift, slopes, growth = rng.standard_normal((3, D)), [], []
    for cls in (GalerkinAttention, FourierAttention):
        mixer = cls(D, HEADS, eta=1.0, delta=0.0, rng=rng).to(np.float64)
        found = np.array([outputs(mixer, lift, n)[:: n // 64] for n in sizes])
        gaps = np.abs(found[:-1] - (2 * found[-1] - found[-2])).max((1, 2))
        unweighted = sizes * np.abs(found - mixer.out.bias.numpy()).max((1, 2))
        slopes.append(np.polyfit(np.log(sizes[:-1]), np.log(gaps), 1)[0])
        growth.append(np.polyfit(np.log(sizes), np.log(unweighted), 1)[0])
    return {"difference": max(slopes), "without 1/n": float(np.mean(growth))}


# ------------------------------------------------------------------------ 3: cost


def seconds(mixer: TokenMixer, n: int) -> float:
    """Forward and backward over n points of width D, the best of three."""
    taken = []
    x = Tensor(np.random.default_rng(0).standard_normal((1, n, D)))
    for _ in range(3):
        start = time.thread_time()
        F.mean(F.square(mixer(x))).backward()
        taken.append(time.thread_time() - start)
    return min(taken)


@part(3)
def cost(seed: int = 0) -> dict[str, float]:
    """Exponents of the seconds from 256 to 4096 points."""
    sizes, found = 2 ** np.arange(8, 13), {}
    for name, cls in {"Galerkin": GalerkinAttention, "Fourier": FourierAttention}.items():
        mixer = cls(D, 1, rng=seed)
        taken = [seconds(mixer, n) for n in sizes]
        found[name] = float(np.polyfit(np.log(sizes), np.log(taken), 1)[0])
    return found


# ------------------------------------------------------------------------ 4: Burgers


@cache
def examples(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """States at time 0 and at time 1 (count, n), the same for every seed."""
    start = data.random_fields(count, POINTS, np.random.default_rng(2021))
    start -= start.mean(axis=1, keepdims=True)  # seen from a frame that moves along
    return start, data.burgers(start, time=1.0, viscosity=0.1, length=2 * np.pi)


class Operator(nn.Module):
    """u (B, n) -> u' (B, n): lifted with its place, two blocks without norms, brought back.

    The place of a point is that on the circle, (cos 2 pi x, sin 2 pi x).
    """

    def __init__(self, mixer: Callable[[Rng], TokenMixer], rng: Rng):
        self.lift = nn.Linear(3, WIDTH, rng=rng)
        blocks = [
            Block(mixer(rng), MLP(WIDTH, rng=rng), norm=lambda: None, connection=Residual())
            for _ in range(2)
        ]
        self.depth = Stack(blocks)
        self.lower = nn.Linear(WIDTH, 1, rng=rng)

    def forward(self, u: Tensor) -> Tensor:
        angle = 2 * np.pi * np.arange(u.shape[1]) / u.shape[1]
        place = np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]  # (1, n, 2)
        here = Tensor(np.broadcast_to(place, (len(u), *place.shape[1:])))
        tokens = F.concatenate([F.expand_dims(u, -1), here], axis=-1)  # (B, n, 3)
        return F.squeeze(self.lower(self.depth(self.lift(tokens), Context(coords=place))), -1)


MIXERS: dict[str, Callable[[Rng], TokenMixer]] = {
    "Galerkin": lambda rng: GalerkinAttention(WIDTH, 8, axes=2, rng=rng),
    "Fourier": lambda rng: FourierAttention(WIDTH, 8, axes=2, rng=rng),
    "softmax": lambda rng: MultiHeadAttention(WIDTH, 8, rng=rng),
}


def relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """The mean over examples of |found - wanted| / |wanted|."""
    return F.mean(F.norm(found - wanted, axis=-1) / F.norm(wanted, axis=-1))


@cache
def operator_error(kind: str, seed: int = 0, steps: int = 1200, batch: int = 8) -> float:
    """The relative L2 error on held-out states after training."""
    rng, (start, end) = np.random.default_rng(seed), examples()
    model = Operator(MIXERS[kind], rng)
    optimiser = AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    schedule = warm_up_cosine(steps // 10, steps)
    for step in range(steps):
        rows = rng.integers(160, size=batch)
        optimiser.zero_grad()
        relative_error(model(Tensor(start[rows])), Tensor(end[rows])).backward()
        optimiser.step(schedule(step))
    with no_grad():
        return relative_error(model(Tensor(start[160:])), Tensor(end[160:])).item()


@part(4)
def learnt(seed: int = 0) -> float:
    """Galerkin attention's error on Burgers' equation."""
    return operator_error("Galerkin", seed)


@part(5)
def against_softmax(seed: int = 0) -> float:
    """Its error over softmax attention's, after equal steps."""
    return operator_error("Galerkin", seed) / operator_error("softmax", seed)
