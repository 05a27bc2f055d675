"""A looped layer of linear attention is gradient descent, and training finds its preconditioner.

The data have a covariance Sigma with eigenvalues from 4 to 1/4; plain descent is slow along the
small ones. The tasks are drawn so that every direction matters alike.
"""

from functools import cache

import numpy as np

from minitx import Tensor, no_grad
from minitx import functional as F
from minitx.context import Context
from minitx.data.in_context import LinearRegression, Prompts
from minitx.data.representation import questions
from minitx.depth.stack import Loop
from minitx.experiments import part
from minitx.nn.module import Parameter, functional_call
from minitx.programs.regression import Fields, descent_layer
from minitx.training.adam import Adam
from minitx.training.clipping import clip_norm

D, EXAMPLES = 5, 20
FIELDS = Fields(x=D, r=1)
SPECTRUM = np.array([4.0, 2.0, 1.0, 0.5, 0.25])
Rng = np.random.Generator


class InversePrior:
    """w = Sigma^(-1/2) u with u ~ N(0, I), so that every w . x is as large in every direction."""

    def __init__(self, covariance: np.ndarray):
        values, vectors = np.linalg.eigh(covariance)
        self.d, self.root = len(values), (vectors / np.sqrt(values)) @ vectors.T

    def sample(self, batch_size: int, rng: Rng) -> np.ndarray:
        return rng.standard_normal((batch_size, self.d)) @ self.root


@cache
def task(seed: int) -> tuple[np.ndarray, LinearRegression]:
    """Sigma, a random rotation of the spectrum, and its prompts."""
    turn, _ = np.linalg.qr(np.random.default_rng([seed, 1]).standard_normal((D, D)))
    sigma = (turn * SPECTRUM) @ turn.T
    return sigma, LinearRegression(InversePrior(sigma), EXAMPLES, covariance=sigma)


def descent(prompts: Prompts, step: np.ndarray, loops: int) -> np.ndarray:
    """The prediction <w_L, x_q> of w <- w + A (1/n) sum_i x_i (y_i - w . x_i), in plain NumPy."""
    x, y = prompts.x[:, :-1].astype(np.float64), prompts.y[:, :-1].astype(np.float64)
    w = np.zeros((len(x), x.shape[-1]))
    for _ in range(loops):
        rest = y - np.einsum("bnd,bd->bn", x, w)
        w = w + np.einsum("bnd,bn->bd", x, rest) @ step.T / x.shape[1]
    return np.einsum("bd,bd->b", w, prompts.x[:, -1])


def loss(prompts: Prompts, step: np.ndarray, loops: int) -> float:
    """Mean squared error of ``descent``."""
    return float(np.mean((descent(prompts, step, loops) - prompts.y[:, -1]) ** 2))


def looped(prompts: Prompts, step: Tensor, loops: int) -> Tensor:
    """The prediction of the looped layer whose weights are made of the Tensor A, (B,)."""
    tokens, heard, _ = questions(prompts, 1)
    tokens = Tensor(tokens, dtype=step.dtype)
    layer = descent_layer(FIELDS, np.zeros((D, D)), EXAMPLES).to(step.dtype)
    into, onto = np.eye(3 * D, D), np.eye(D, D + 1)  # where A^T stands among the weights
    into, onto = (Tensor(m, dtype=step.dtype) for m in (into, onto))
    name = "block.sublayers.0.qkv.weight"
    weight = layer.sublayers[0].qkv.weight + into @ F.swapaxes(step, 0, 1) @ onto
    ctx = Context.of(tokens, valid=heard)
    return -functional_call(Loop(layer, loops), {name: weight}, tokens, ctx)[:, -1, -1]


@part(1)
def forward(seed: int = 0) -> dict[str, float]:
    """The layer beside the recursion; the loss of one step beside its closed form."""
    rng, (sigma, source) = np.random.default_rng(seed), task(seed)
    prompts, off = source.sample(64, rng), 0.0
    for loops in (1, 2, 4, 8):
        step = 0.2 * rng.standard_normal((D, D))
        with no_grad():
            found = looped(prompts, Tensor(step, dtype=np.float64), loops).numpy()
        want = descent(prompts, step, loops)
        off = max(off, np.abs(found - want).max() / np.abs(want).max())
    many = source.sample(40_000, rng)
    ratios = []
    for c in (0.4, best_factor(), 1.0):
        closed = D * (1 - 2 * c + c**2 * (1 + (D + 1) / EXAMPLES))
        ratios.append(abs(loss(many, c * np.linalg.inv(sigma), 1) / closed - 1))
    return {"recursion": off, "closed form": max(ratios)}


def best_factor() -> float:
    """The best c Sigma^-1 for one step: c = n / (n + d + 1), as E H^2 = (1 + (d + 1) / n) I."""
    return EXAMPLES / (EXAMPLES + D + 1)


@cache
def trained(loops: int, seed: int, start: int = 0, steps: int = 3000) -> np.ndarray:
    """A after Adam on fresh prompts, from small random numbers."""
    rng = np.random.default_rng([seed, 2, start])
    step = Parameter(0.1 * rng.standard_normal((D, D)))
    optimiser, source = Adam([step], lr=0.02), task(seed)[1]
    for i in range(steps):
        prompts = source.sample(256, rng)
        optimiser.zero_grad()
        F.mean(F.square(looped(prompts, step, loops) - prompts.y[:, -1])).backward()
        clip_norm([step], 1.0)
        optimiser.step(1 - i / steps)
    return step.numpy().astype(np.float64)


@cache
def test_set(seed: int) -> Prompts:
    """20,000 new prompts."""
    return task(seed)[1].sample(20_000, np.random.default_rng([seed, 3]))


def best_multiple(direction: np.ndarray, loops: int, seed: int) -> float:
    """The least loss of c times this matrix, over c in steps of 4 per cent."""
    start = best_factor() / np.linalg.norm(direction @ task(seed)[0], 2)
    factors = start * 1.02 ** np.arange(-20.0, 46, 2)
    return min(loss(test_set(seed), c * direction, loops) for c in factors)


def deviation(step: np.ndarray, sigma: np.ndarray) -> float:
    """How far A Sigma is from a multiple of the identity: |A Sigma - c I| / |A Sigma|, best c."""
    product = step @ sigma
    c = np.trace(product) / len(product)
    return float(np.linalg.norm(product - c * np.eye(len(product))) / np.linalg.norm(product))


def beside(loops: int, seed: int) -> dict[str, float]:
    """How far from a multiple of Sigma^-1; its loss beside the best one's, and plain descent's."""
    step, (sigma, _) = trained(loops, seed), task(seed)
    found = loss(test_set(seed), step, loops)
    return {
        "deviation": deviation(step, sigma),
        "beside the best multiple": found / best_multiple(np.linalg.inv(sigma), loops, seed),
        "plain descent": best_multiple(np.eye(D), loops, seed) / found,
    }


@part(2)
def one_loop(seed: int = 0) -> dict[str, float]:
    return beside(1, seed)


@part(3)
def two_loops(seed: int = 0) -> dict[str, float]:
    return beside(2, seed)


@part(4)
def four_loops(seed: int = 0) -> dict[str, float]:
    return beside(4, seed)


@part(5)
def from_three_starts(seed: int = 0) -> dict[str, float]:
    """Two loops: the losses after 3,000 steps beside their plateaus, and beside one another.

    A plateau is where the same training comes to from the same start in twice as many steps.
    """
    found, plateau = (
        np.array([loss(test_set(seed), trained(2, seed, start, n), 2) for start in range(3)])
        for n in (3000, 6000)
    )
    return {
        "from its plateau": float(np.abs(found - plateau).max()),
        "between starts": float(np.ptp(found) / found.min()),
    }
