"""The operator, the regression and the mixtures of the experiment, each by another way."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.linear_model
import sklearn.metrics

from minitx.experiments.attention.distribution_regression import (
    CIRCLE,
    QUERIES,
    Mixtures,
    attended,
    auc,
    errors,
    ridge,
    told_apart,
    unexplained,
)

RNG = np.random.default_rng(0)


def test_attention_over_a_bag_by_loop():
    bags, queries = RNG.standard_normal((2, 7, 3)), RNG.standard_normal((5, 3))
    found = attended(bags, queries)
    for b, bag in enumerate(bags):
        for i, q in enumerate(queries):
            weights = np.array([math.exp(q @ x) for x in bag])
            expected = sum(w * x for w, x in zip(weights, bag)) / weights.sum()
            np.testing.assert_allclose(found[b, i], expected, atol=1e-13)


@pytest.mark.parity
def test_attention_over_a_bag_is_pytorchs():
    torch = pytest.importorskip("torch")
    bags, queries = RNG.standard_normal((2, 7, 3)), RNG.standard_normal((5, 3))
    x, q = torch.tensor(bags), torch.tensor(np.broadcast_to(queries, (2, 5, 3)).copy())
    expected = torch.nn.functional.scaled_dot_product_attention(q, x, x, scale=1.0)
    np.testing.assert_allclose(attended(bags, queries), expected.numpy(), atol=1e-12)


def test_slopes_at_zero_are_the_cumulants():
    """Mean, variance and third cumulant of a density that leans, from the operator alone."""
    law = scipy.stats.skewnorm(4.0, loc=-0.3, scale=1.2)
    x, h = np.linspace(-9, 9, 4001), 0.02
    steps = np.arange(-2, 3)[:, None] * h
    a = attended(x[None, :, None], steps, law.logpdf(x).clip(-600))[0, :, 0]
    mean, variance, skew = law.stats(moments="mvs")
    assert a[2] == pytest.approx(mean, abs=1e-8)
    assert (a[0] - 8 * a[1] + 8 * a[3] - a[4]) / (12 * h) == pytest.approx(variance, abs=1e-5)
    third = (-a[0] + 16 * a[1] - 30 * a[2] + 16 * a[3] - a[4]) / (12 * h * h)
    assert third == pytest.approx(skew * variance**1.5, abs=1e-4)
    assert third > 0.3  # it leans: a Gaussian has 0 here


def test_the_tilted_mean_of_a_mixture_in_closed_form():
    shares, means, widths = np.array([0.3, 0.7]), np.array([-1.1, 0.6]), np.array([0.5, 0.9])
    x = np.linspace(-12, 12, 4801)
    density = sum(
        s * np.exp(-(((x - m) / w) ** 2) / 2) / w for s, m, w in zip(shares, means, widths)
    )
    tilted = shares * np.exp(QUERIES * means + (QUERIES * widths) ** 2 / 2)  # (Q, 2)
    expected = (tilted * (means + QUERIES * widths**2)).sum(1) / tilted.sum(1)
    log_density = np.log(density + 1e-300)
    found = attended(x[None, :, None], QUERIES, log_density)[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_the_error_is_larger_with_fewer_samples():
    assert CIRCLE.shape == (6, 2)
    few, many = errors(np.array([50, 5000]), seed=3, bags=30)
    assert 6 < few / many < 16  # sqrt(100) = 10


def test_ridge_and_auc_are_scikit_learns():
    x, noise = RNG.standard_normal((61, 3)) * [1, 5, 0.2] + 2, RNG.standard_normal(61)
    y, new = x @ [1.0, -0.3, 2.0] + noise, RNG.standard_normal((7, 3))
    scaled = (x - x.mean(0)) / x.std(0)
    theirs = sklearn.linear_model.Ridge(alpha=0.1 * 61).fit(scaled, y)
    expected = theirs.predict((new - x.mean(0)) / x.std(0))
    np.testing.assert_allclose(ridge(x, y, 0.1)(new), expected, atol=1e-10)
    labels = (y > np.median(y)).astype(int)
    assert auc(noise, labels) == pytest.approx(sklearn.metrics.roc_auc_score(labels, noise))


def test_targets_of_mixtures_that_are_one_gaussian():
    mixtures = Mixtures(5, np.random.default_rng(1))
    mixtures.means[1], mixtures.widths[1] = mixtures.means[0], mixtures.widths[0]
    width, targets = mixtures.widths[0], mixtures.targets()
    np.testing.assert_allclose(targets["variance"], width**2, atol=1e-8)
    entropy = 0.5 * np.log(2 * np.pi * np.e * width**2)
    np.testing.assert_allclose(targets["entropy"], entropy, atol=1e-8)
    np.testing.assert_allclose(targets["tail"], 2 * scipy.stats.norm.sf(1.5 / width), atol=5e-3)


def test_samples_of_mixtures_have_their_variance():
    mixtures = Mixtures(3, np.random.default_rng(2))
    samples = mixtures.sample(200_000, np.random.default_rng(3))
    assert samples.shape == (3, 200_000, 1)
    np.testing.assert_allclose(samples.var((1, 2)), mixtures.targets()["variance"], rtol=0.02)


def test_more_samples_help():
    found = unexplained(np.array([10, 40, 160]), count=800)
    assert (np.diff(found, axis=1) < 0).all()
    auc_by_size = told_apart(np.array([4, 20]), bags=800)["attention"]
    assert auc_by_size[0] < auc_by_size[1]
