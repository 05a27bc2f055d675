"""Attention as inference of a latent cause: from its posterior, by kernel ridge, by softmax.

Tokens whose order does not matter are draws from one hidden cause z (de Finetti). What they say of
an answer is E[y | X], which the posterior of z carries whole. Attention reaches it from the pairs
(k_i, v_i) alone, as an estimate of E[v | k = q].
"""

from typing import NamedTuple

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Source
from minitx.data import LinearRegression, MixturePrior
from minitx.data.in_context import Prompts, joint_tokens
from minitx.experiments import part
from minitx.token_mixers.attention import CrossAttention
from minitx.training.adam import Adam
from minitx.training.schedules import cosine

# --------------------------------------------------------------- 1: the posterior is sufficient


class Latent(NamedTuple):
    """A hidden cause z with P(z) (Z,), token probabilities P(x | z) (Z, V) and E[y | z] (Z,)."""

    prior: np.ndarray
    tokens: np.ndarray
    answers: np.ndarray

    @classmethod
    def random(cls, causes: int, vocabulary: int, seed: int = 0) -> "Latent":
        rng = np.random.default_rng(seed)
        tokens = rng.dirichlet(np.ones(vocabulary), causes)
        return cls(rng.dirichlet(np.ones(causes)), tokens, rng.standard_normal(causes))


def by_posterior(latent: Latent, ids: np.ndarray) -> np.ndarray:
    """E[y | X] of sequences (B, L): softmax attention over the causes, (B,).

    score_z = log P(z) + sum_t log P(x_t | z); its softmax is P(z | X), the values are E[y | z].
    """
    table = Tensor(np.log(latent.tokens.T), dtype=np.float64)  # (V, Z)
    scores = F.sum(F.embedding(table, ids), axis=1) + np.log(latent.prior)  # (B, Z)
    return (F.softmax(scores) @ Tensor(latent.answers, dtype=np.float64)).numpy()


def by_enumeration(latent: Latent, length: int) -> np.ndarray:
    """E[y | X] of every sequence of ``length``, by the sum rule alone: (V, V, ..., V)."""
    mass = expected = 0.0
    for prior, tokens, answer in zip(*latent):
        joint = prior  # P(z, x_1, ..., x_t), one axis for each token
        for _ in range(length):
            joint = np.multiply.outer(joint, tokens)
        mass, expected = mass + joint, expected + joint * answer
    return expected / mass


@part(1)
def sufficient(seed: int = 0) -> dict[str, float]:
    """Five causes, three tokens, all 6561 sequences of length 8, in order and shuffled."""
    latent, length = Latent.random(5, 3, seed), 8
    enumerated = by_enumeration(latent, length)
    ids = np.indices(enumerated.shape).reshape(length, -1).T  # (V^L, L)
    found = by_posterior(latent, ids)
    shuffled = np.random.default_rng(seed).permuted(ids, axis=1)
    return {
        "enumeration": np.abs(found - enumerated.ravel()).max(),
        "order": max(
            np.abs(found - by_posterior(latent, shuffled)).max(),
            np.abs(enumerated.ravel() - enumerated[tuple(shuffled.T)]).max(),
        ),
    }
