"""Two devils in linear attention, and their cures: bounded gradients, and attention near by.

A mean with weights p = s / sum(s) has derivatives as large as 1 / s; a norm after an undivided sum
has bounded ones. And weights without a softmax spread over the whole sequence; blocks do not.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import jacobian
from minitx.channel_mixers.gated import GLU
from minitx.context import Context
from minitx.experiments import part
from minitx.experiments.language import HEADS, D, Rng, decoder, held_out_loss, text, train
from minitx.token_mixers import (
    Blocks,
    Causal,
    DiagAttention,
    LinearAttention,
    MultiHeadAttention,
    NormAttention,
    TokenMixer,
)

# ------------------------------------------------------------------- 1: how steep it gets

SCALES = np.array([1, 0.1, 0.01, 0.001])
EPS = 1e-6


def steepest(function: Callable[[Tensor], Tensor], s: np.ndarray) -> np.ndarray:
    """The largest derivative of any output by each entry of a row s (n,): (n,)."""
    slopes = jacobian(function, Tensor(s, dtype=np.float64)).numpy()
    return np.abs(slopes).reshape(-1, len(s)).max(axis=0)


def scaled(s: Tensor) -> Tensor:
    """Linear attention's weights of a row of scores."""
    return s / F.sum(s)


def normed(s: Tensor, v: np.ndarray) -> Tensor:
    """NormAttention's output for a row of scores and values v (n, d)."""
    y = F.reshape(s, (1, -1)) @ Tensor(v, dtype=np.float64)
    return F.rms_norm(y, Tensor(np.ones(v.shape[1]), dtype=np.float64), EPS)


class Steepness(NamedTuple):
    """For each of SCALES: the largest derivatives, and their largest share of their bounds.

    The bounds are 1 / (4 s_i) for d p_i / d s_i, and |v_j| / sqrt(eps) for NormAttention.
    """

    scaled: np.ndarray
    softmax: np.ndarray
    normed: np.ndarray
    of_scaled_bound: np.ndarray
    of_normed_bound: np.ndarray


@cache
def steepness(seed: int = 0, n: int = 24, d: int = 8) -> Steepness:
    """One row of positive random scores, made smaller and smaller; values stay."""
    rng = np.random.default_rng(seed)
    row, v, found = rng.uniform(0.02, 1, n) / n, rng.standard_normal((n, d)), []
    for c in SCALES:
        s = c * row
        own = np.diag(jacobian(scaled, Tensor(s, dtype=np.float64)).numpy())
        norm = steepest(lambda s: normed(s, v), s)
        found.append(
            [
                steepest(scaled, s).max(),
                steepest(F.softmax, s).max(),
                norm.max(),
                (np.abs(own) * 4 * s).max(),
                (norm * np.sqrt(EPS) / np.linalg.norm(v, axis=1)).max(),
            ]
        )
    return Steepness(*np.array(found).T)


@part(1)
def scaling(seed: int = 0) -> dict[str, float]:
    found = steepness(seed)
    return {
        "exponent": float(np.polyfit(np.log(SCALES), np.log(found.scaled), 1)[0]),
        "of its bound": found.of_scaled_bound.max(),
        "softmax": found.softmax.max(),
        "norm, of its bound": found.of_normed_bound.max(),
    }


# ------------------------------------------------------------------- 2: how far it spreads


def near(weights: np.ndarray, reach: int = 16) -> np.ndarray:
    """The share of each token's weights (B, H, T, T) that is at most ``reach`` away: (B, H, T)."""
    place = np.arange(weights.shape[-1])
    close = np.abs(place[:, None] - place) <= reach
    return (weights * close).sum(-1) / weights.sum(-1)


def shares(seed: int = 0, n: int = 512, size: int = 32) -> dict[str, np.ndarray]:
    """``near`` of linear attention and of DiagAttention on random tokens, averaged over heads."""
    rng = np.random.default_rng(seed)
    x = Tensor(rng.standard_normal((2, n, D)))
    blocks = DiagAttention(MultiHeadAttention(D, HEADS, rng=rng), size)
    linear = LinearAttention(D, HEADS, rng=rng).weights(x).numpy()
    diagonal = blocks.attention.weights(x, Context.of(x, mask=Blocks(size))).numpy()
    return {"linear": near(linear).mean((0, 1)), "diagonal": near(diagonal).mean((0, 1))}


@part(2)
def dilution(seed: int = 0) -> dict[str, float]:
    """Mean over tokens for linear attention; for blocks, the worst token in the middle of one."""
    found = shares(seed)
    return {"linear": found["linear"].mean(), "blocks": found["diagonal"][16::32].min()}


# ------------------------------------------------------------------- 3: a race


def scaled_linear(rng: Rng) -> list[TokenMixer]:
    """Two layers of linear attention with its denominator."""
    return [LinearAttention(D, HEADS, mask=Causal(), rng=rng) for _ in range(2)]


def transnormer(rng: Rng) -> list[TokenMixer]:
    """Blocks of 32 tokens below, NormAttention above."""
    blocks = MultiHeadAttention(D, HEADS, mask=Causal(), rng=rng)
    return [DiagAttention(blocks, 32), NormAttention(D, HEADS, mask=Causal(), rng=rng)]


def norm_alone(rng: Rng) -> list[TokenMixer]:
    """Two layers of NormAttention: the first cure without the second."""
    return [NormAttention(D, HEADS, mask=Causal(), rng=rng) for _ in range(2)]


@cache
def race(
    mixers: Callable[[Rng], list[TokenMixer]], seed: int = 0, steps: int = 300
) -> tuple[float, float]:
    """(held-out nats a character, variance of the gradient's norm) of a decoder with GLUs."""
    rng = np.random.default_rng(seed)
    glu = lambda rng: GLU(D, rng=rng)  # noqa: E731
    model = decoder(mixers(rng), rng, text().vocab_size, channel_mixer=glu)
    norms = train(model, steps, seed).norms
    return held_out_loss(model), float(norms[steps // 6 :].var())


@part(3)
def language(seed: int = 0) -> float:
    """Nats won by both cures over scaled linear attention."""
    return race(scaled_linear, seed)[0] - race(transnormer, seed)[0]


@part(4)
def first_cure(seed: int = 0) -> dict[str, float]:
    """The norm without the blocks: nats won, and the ratio of the variances of gradients' norms."""
    (ours, our_variance), (theirs, their_variance) = (
        race(norm_alone, seed),
        race(scaled_linear, seed),
    )
    return {"nats": theirs - ours, "variance": their_variance / our_variance}
