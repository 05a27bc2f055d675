"""Attention as inference: each estimate by another way."""

import numpy as np
import scipy.stats
from sklearn.kernel_ridge import KernelRidge

from minitx import Tensor
from minitx.autograd.check import check_grads
from minitx.data import MixturePrior, Prompts
from minitx.experiments.attention.exchangeability import (
    Latent,
    by_enumeration,
    by_posterior,
    errors,
    posterior_mean,
)
from minitx.token_mixers.conditional_mean import (
    kernel_average_attention,
    mean_embedding_attention,
)

RNG = np.random.default_rng(0)


def double(*shape):
    return Tensor(RNG.standard_normal(shape), dtype=np.float64)


def test_mean_embedding_attention_is_scikit_learns_kernel_ridge():
    q, k, v = double(7, 2), double(43, 2), double(43, 3)
    length, lam, width = 43, 0.02, 0.7
    theirs = KernelRidge(alpha=lam * length, kernel="rbf", gamma=0.5 / width**2)
    expected = theirs.fit(k.numpy(), v.numpy()).predict(q.numpy())
    found = mean_embedding_attention(q, k, v, width, lam * length).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_kernel_average_attention_by_loop():
    q, k, v = double(5, 2), double(11, 2), double(11, 3)
    found = kernel_average_attention(q, k, v, width=0.6).numpy()
    for i, point in enumerate(q.numpy()):
        weights = np.exp(-np.square(point - k.numpy()).sum(1) / (2 * 0.6**2))
        np.testing.assert_allclose(found[i], weights @ v.numpy() / weights.sum(), atol=1e-12)


def test_both_are_differentiable():
    q, k, v = double(3, 2), double(5, 2), double(5, 1)
    check_grads(lambda q, k, v: mean_embedding_attention(q, k, v, 0.9, 0.3), q, k, v)
    check_grads(lambda q, k, v: kernel_average_attention(q, k, v, 0.9), q, k, v)


def test_the_posterior_answer_is_enumerated_and_not_the_priors():
    latent = Latent.random(4, 3, seed=5)
    ids = np.array([[0, 2, 2, 1, 0], [1, 1, 1, 1, 1]])
    table = by_enumeration(latent, 5)
    assert table.shape == (3,) * 5
    np.testing.assert_allclose(by_posterior(latent, ids), table[tuple(ids.T)], atol=1e-13)
    flat = latent._replace(prior=np.full(4, 0.25))
    assert np.abs(by_posterior(flat, ids) - table[tuple(ids.T)]).max() > 1e-3


def test_errors_fall_and_the_estimates_approach():
    found = errors(np.array([24, 240]), seed=2, budget=1200)
    assert set(found) == {"ridge", "softmax", "apart"}
    for few, many in found.values():
        assert many < few


def test_posterior_mean_shrinks_as_conjugate_gaussians_do():
    """A Gaussian prior laid on a fine grid: E[w | pairs] = sum x y / (sum x^2 + noise^2)."""
    grid, noise = np.linspace(-7, 7, 2801), 1.5
    weights = scipy.stats.norm.pdf(grid)
    prior = MixturePrior(grid[:, None], weights / weights.sum())
    w, x = RNG.standard_normal((6, 1)), RNG.standard_normal((6, 9, 1))
    y = x[..., 0] * w + noise * RNG.standard_normal((6, 9))
    past, answers = x[:, :-1, 0], y[:, :-1]
    shrunk = (past * answers).sum(1) / (np.square(past).sum(1) + noise**2)
    found = posterior_mean(Prompts(x, y, w), prior, noise)
    np.testing.assert_allclose(found, shrunk * x[:, -1, 0], atol=1e-8)
