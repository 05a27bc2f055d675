"""Initialisers: the spread that each promises, and the structure of those that have one."""

import math

import numpy as np
import pytest

from minitx.nn import initialisers as init

SHAPE = (300, 50, 2)  # fan_in 100, fan_out 600; 30,000 draws: 4 deviations of the spread are 1.7 %


@pytest.fixture
def rng():
    return np.random.default_rng(0)


SPREADS = {
    "normal": (lambda rng: init.normal(rng, SHAPE, std=0.3), 0.3),
    "uniform": (lambda rng: init.uniform(rng, SHAPE, bound=0.6), 0.6 / math.sqrt(3)),
    "xavier_uniform": (lambda rng: init.xavier_uniform(rng, SHAPE), math.sqrt(2 / 700)),
    "xavier_normal": (lambda rng: init.xavier_normal(rng, SHAPE, 3.0), 3 * math.sqrt(2 / 700)),
    "kaiming_uniform": (lambda rng: init.kaiming_uniform(rng, SHAPE), math.sqrt(2 / 100)),
    "kaiming_normal": (lambda rng: init.kaiming_normal(rng, SHAPE, gain=1.0), 0.1),
    # the variance of a standard normal number within two deviations is 0.7737
    "truncated_normal": (lambda rng: init.truncated_normal(rng, SHAPE, 0.5), 0.5 * 0.7737**0.5),
}


@pytest.mark.parametrize("name", SPREADS)
def test_spread(name, rng):
    draw, expected = SPREADS[name]
    weight = draw(rng)
    assert weight.shape == SHAPE
    assert weight.std() == pytest.approx(expected, rel=0.02)
    assert abs(weight.mean()) < 4 * expected / math.sqrt(weight.size)
    np.testing.assert_array_equal(weight, draw(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("draw", "bound"),
    [
        (lambda rng: init.truncated_normal(rng, SHAPE, std=0.5, cut=1.5), 0.75),
        (lambda rng: init.xavier_uniform(rng, SHAPE), math.sqrt(6 / 700)),
        (lambda rng: init.kaiming_uniform(rng, SHAPE), math.sqrt(6 / 100)),
    ],
)
def test_bound(draw, bound, rng):
    largest = np.abs(draw(rng)).max()
    assert 0.99 * bound < largest <= bound


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (5, 5), (7, 2, 2)])
def test_orthogonal(shape, rng):
    weight = init.orthogonal(rng, shape, gain=2.0)
    assert weight.shape == shape
    flat = weight.reshape(shape[0], -1) / 2
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_orthogonal_turns_every_way_alike(rng):
    """The determinant of a random rotation is as often 1 as -1; QR's alone is not."""
    signs = [np.linalg.det(init.orthogonal(rng, (2, 2))) for _ in range(400)]
    assert abs(np.mean(signs)) < 0.2  # four deviations
    angles = [init.orthogonal(rng, (2, 2))[0, 0] for _ in range(400)]
    assert abs(np.mean(angles)) < 4 * math.sqrt(0.5 / 400)


def test_identity_passes_its_input_on():
    np.testing.assert_array_equal(init.identity(None, (3, 3)), np.eye(3))
    assert init.identity(None, (3, 5)).sum() == 3
    kernel = init.identity(None, (3, 5, 3))
    np.testing.assert_array_equal(kernel[:, :, 1], np.eye(3, 5))
    assert kernel.sum() == 3


def test_constants():
    assert not init.zeros(None, (2, 3)).any()
    assert init.ones(None, (2, 3)).sum() == 6


@pytest.mark.parametrize("name", ["xavier_normal", "kaiming_uniform", "orthogonal", "identity"])
def test_a_vector_has_no_fans(name, rng):
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        getattr(init, name)(rng, (3,))


def test_truncation_at_nothing_is_refused(rng):
    with pytest.raises(ValueError, match="cut > 0, got 0"):
        init.truncated_normal(rng, (3,), cut=0)
