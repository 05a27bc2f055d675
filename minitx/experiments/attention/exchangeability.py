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
from minitx.token_mixers import CrossAttention
from minitx.token_mixers.conditional_mean import (
    kernel_average_attention,
    mean_embedding_attention,
)
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


# ------------------------------------------------- 2: two estimates of one conditional mean


def truth(k: np.ndarray) -> np.ndarray:
    """f(k), the conditional mean of the experiment: (S, 2) -> (S, 1)."""
    return np.tanh(k.sum(-1, keepdims=True))


def pairs(length: int, rng: np.random.Generator, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    """Keys N(0, I), (S, 2), and values f(k) + noise, (S, 1)."""
    k = rng.standard_normal((length, 2))
    v = truth(k) + noise * rng.standard_normal((length, 1))
    return Tensor(k, dtype=np.float64), Tensor(v, dtype=np.float64)


def errors(lengths: np.ndarray, seed: int = 0, budget: int = 6144) -> dict[str, np.ndarray]:
    """Root mean square error of each estimate, and their mean distance, for every length.

    About ``budget`` pairs are drawn for each length, so that short sequences are drawn often. The
    width of the softmax shrinks as L^(-1/6), which for two numbers a key balances its bias and its
    variance at an error of L^(-1/3); kernel ridge keeps its width and its penalty.
    """
    rng, found = np.random.default_rng(seed), []
    for length in lengths:
        sums = np.zeros(3)
        times = -(-budget // length)
        for _ in range(times):
            k, v = pairs(length, rng)
            q = rng.standard_normal((64, 2))
            asked, f = Tensor(q, dtype=np.float64), truth(q)
            ridge = mean_embedding_attention(asked, k, v).numpy()
            average = kernel_average_attention(asked, k, v, 0.5 * length ** (-1 / 6)).numpy()
            wrong = np.square(ridge - f).mean(), np.square(average - f).mean()
            sums += (*wrong, np.abs(ridge - average).mean())
        found.append(sums / times)
    ridge, average, apart = np.transpose(found)
    return {"ridge": np.sqrt(ridge), "softmax": np.sqrt(average), "apart": apart}


def by_features(q: np.ndarray, k: np.ndarray, v: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge regression on the Gaussian kernel's own features, with no kernel in it: (T, c).

    For width 1 they are e^(-|x|^2 / 2) x_1^a x_2^b / sqrt(a! b!); up to degree 40 here.
    """
    orders = np.arange(41)
    roots = np.sqrt(np.cumprod(np.maximum(orders, 1.0)))  # sqrt(a!)

    def features(x: np.ndarray) -> np.ndarray:
        powers = np.exp(-(x**2) / 2)[..., None] * x[..., None] ** orders / roots  # (n, 2, 41)
        return (powers[:, 0, :, None] * powers[:, 1, None, :]).reshape(len(x), -1)

    known = features(k)
    weights = np.linalg.solve(known.T @ known + penalty * np.eye(known.shape[1]), known.T @ v)
    return features(q) @ weights


@part(2)
def conditional_mean(seed: int = 0) -> dict[str, float]:
    """Kernel ridge against its explicit features at 61 pairs; rates from 32 to 2048.

    At the softmax's own rate the two would be 64^(1/3) = 4 times closer at the end.
    """
    rng = np.random.default_rng(seed)
    (k, v), q = pairs(61, rng), rng.uniform(-2, 2, (17, 2))
    ridge = mean_embedding_attention(Tensor(q, dtype=np.float64), k, v, penalty=0.1).numpy()
    lengths = 2 ** np.arange(5, 12)
    found = errors(lengths, seed)
    slope = {name: np.polyfit(np.log(lengths), np.log(e), 1)[0] for name, e in found.items()}
    return {
        "kernel ridge": np.abs(ridge - by_features(q, k.numpy(), v.numpy(), 0.1)).max(),
        "slope, ridge": slope["ridge"],
        "slope, softmax": slope["softmax"],
        "approach": found["apart"][0] / found["apart"][-1],
    }


# ------------------------------------------------------------ 3: trained at 64, asked at any


def predict(layer: CrossAttention, prompts: Prompts) -> Tensor:
    """What the layer says of each query's y, (B,): its token [x; 0] hears the pairs [x; y]."""
    tokens = joint_tokens(prompts)
    pairs, query = Tensor(tokens[:, :-1]), Tensor(tokens[:, -1:])
    return layer(query, Context(source=Source(pairs)))[:, 0, -1]


def trained_layer(
    task: LinearRegression, rng: np.random.Generator, steps: int = 1500
) -> CrossAttention:
    """One layer of softmax attention with four heads, fitted to y by mean square error."""
    layer = CrossAttention(task.prior.d + 1, 4, d_head=4, rng=rng)
    optimiser, schedule = Adam(layer.parameters(), lr=1e-2), cosine(steps)
    for step in range(steps):
        prompts = task.sample(64, rng)
        optimiser.zero_grad()
        wrong = predict(layer, prompts) - Tensor(prompts.y[:, -1])
        F.mean(wrong * wrong).backward()
        optimiser.step(schedule(step))
    return layer


def posterior_mean(prompts: Prompts, prior: MixturePrior, noise: float) -> np.ndarray:
    """E[y | pairs, x] when the weights are one of the prior's: the Bayes answer, (B,)."""
    x, y = prompts.x.astype(np.float64), prompts.y.astype(np.float64)
    answers = x @ prior.means.T  # (B, N, Z)
    wrong = y[:, :-1, None] - answers[:, :-1]
    scores = np.log(prior.weights) - np.square(wrong).sum(1) / (2 * noise**2)  # (B, Z)
    posterior = F.softmax(Tensor(scores, dtype=np.float64)).numpy()
    return (posterior * answers[:, -1]).sum(-1)


def excess_risk(
    lengths: np.ndarray, seed: int = 0, noise: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(excess risk, variance of the Bayes answer) at each length, of a layer trained at 64.

    The latent cause is one of five weight vectors; at 64 pairs the posterior is nearly sure of it
    in most draws of the five. The excess is E[(prediction - Bayes)^2].
    """
    rng = np.random.default_rng(seed)
    prior = MixturePrior(rng.standard_normal((5, 2)))
    layer = trained_layer(LinearRegression(prior, 64, noise), rng)
    excess, variance = [], []
    for length in lengths:
        prompts = LinearRegression(prior, length, noise).sample(4000, rng)
        bayes = posterior_mean(prompts, prior, noise)
        excess.append(np.square(predict(layer, prompts).numpy() - bayes).mean())
        variance.append(bayes.var())
    return np.array(excess), np.array(variance)


@part(3)
def learnt(seed: int = 0) -> dict[str, float]:
    """R^2 against the Bayes answer at 64, and by how much the excess risk grows up to 256."""
    excess, variance = excess_risk(np.array([64, 256]), seed)
    return {"posterior": 1 - excess[0] / variance[0], "longer": excess[1] - excess[0]}
