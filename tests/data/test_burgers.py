"""Burgers' equation against Cole and Hopf's closed form."""

import numpy as np
import pytest

from minitx.data import burgers, random_fields


def cole_hopf(start, time, viscosity):
    """u = m - 2 nu phi_x / phi, where phi solves the heat equation; exact but for the FFT."""
    n = start.shape[1]
    waves = 2 * np.pi * np.arange(n // 2 + 1)
    mean = start.mean(axis=1, keepdims=True)
    integral = np.fft.rfft(start - mean)
    integral[:, 1:] /= 1j * waves[1:]
    phi = np.exp(-np.fft.irfft(integral, n) / (2 * viscosity))
    heat = np.fft.rfft(phi) * np.exp(-viscosity * waves**2 * time)
    heat = heat * np.exp(-1j * waves * mean * time)  # carried along by the mean
    u = -2 * viscosity * np.fft.irfft(1j * waves * heat, n) / np.fft.irfft(heat, n)
    return mean + u


def test_the_solver_agrees_with_cole_and_hopf():
    start = random_fields(7, 128, np.random.default_rng(0))
    for time, viscosity, tolerance in ((1.0, 0.1, 1e-7), (0.2, 0.05, 1e-6)):
        expected = cole_hopf(start, time, viscosity)
        found = burgers(start, time, viscosity)
        assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()
        linear = start.mean(1, keepdims=True) * np.ones(128)
        assert np.abs(expected - linear).max() > 1e-3  # there is something to get right


def test_a_longer_circle_is_a_slower_unit_circle():
    start = random_fields(2, 64, np.random.default_rng(5), modes=9)
    long = burgers(start, 0.5, 0.1, length=2.0)
    np.testing.assert_allclose(long, 2 * burgers(start / 2, 0.5, 0.1 / 4), atol=1e-10)


def test_the_solution_is_a_softmax_over_points():
    """u(x, t) = mean of (x - y) / t, weights exp(-(x - y)^2 / (4 nu t) - U(y) / (2 nu))."""
    n, length, nu = 128, 2 * np.pi, 0.1
    start = random_fields(3, n, np.random.default_rng(6))
    start -= start.mean(1, keepdims=True)
    spectrum, waves = np.fft.rfft(start), 2 * np.pi / length * np.arange(n // 2 + 1)
    spectrum[:, 1:] /= 1j * waves[1:]
    integral = np.tile(np.fft.irfft(spectrum, n), 5)  # the circle, unrolled five times
    x, y = np.arange(n) * length / n, np.arange(-2 * n, 3 * n) * length / n
    away = x[:, None] - y
    scores = -(away**2) / (4 * nu) - integral[:, None] / (2 * nu)  # (3, n, 5n), time 1
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    expected = (weights * away).sum(-1) / weights.sum(-1)
    found = burgers(start, 1.0, nu, 400, length)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_error_falls_with_the_fourth_power_of_the_step():
    start = 3 * random_fields(3, 64, np.random.default_rng(1), modes=8)
    expected = cole_hopf(start, 0.2, 0.1)
    errors = [np.abs(burgers(start, 0.2, 0.1, steps) - expected).max() for steps in (10, 20)]
    assert 3.5 < np.log2(errors[0] / errors[1]) < 4.6


def test_mean_is_kept_and_energy_falls():
    start = random_fields(5, 96, np.random.default_rng(2))
    end = burgers(start, 0.5)
    np.testing.assert_allclose(end.mean(1), start.mean(1), atol=1e-12)
    assert (end.var(1) < start.var(1)).all()
    np.testing.assert_allclose(burgers(start, 0.0), start, atol=1e-12)


def test_a_field_is_the_same_function_on_every_grid():
    coarse, fine = (random_fields(3, n, np.random.default_rng(3), modes=12) for n in (32, 128))
    np.testing.assert_allclose(fine[:, ::4], coarse, atol=1e-12)
    assert coarse.shape == (3, 32)


def test_fields_have_the_covariance_that_is_asked_for():
    fields = random_fields(4000, 32, np.random.default_rng(4))
    power = (np.abs(np.fft.rfft(fields)) ** 2).mean(0)[:5] / 32**2
    expected = (25 / (25 + (2 * np.pi * np.arange(5)) ** 2)) ** 2  # of exp(2 pi i k x)
    np.testing.assert_allclose(power, expected, rtol=0.1)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"32 points hold up to 15 modes, got 20"):
        random_fields(1, 32, np.random.default_rng(0), modes=20)
    with pytest.raises(ValueError, match=r"start \(N, n\).*got \(32,\)"):
        burgers(np.zeros(32))
    with pytest.raises(FloatingPointError, match="20 steps are too few"):
        burgers(1e6 * random_fields(1, 64, np.random.default_rng(0)), viscosity=1e-3, steps=20)
