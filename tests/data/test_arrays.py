"""Digits, series and regression prompts: what they are, and that a seed fixes them."""

import sys

import numpy as np
import pytest

from minitx.data import (
    LinearRegression,
    MixturePrior,
    NormalPrior,
    Scaler,
    digits,
    eeg,
    forecast_pairs,
    interleaved_tokens,
    joint_tokens,
    share_price,
    sines,
    split_series,
    train_test_split,
)


def test_digits_are_images_between_0_and_1():
    images, labels = digits()
    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.float32
    assert images.min() == 0
    assert images.max() == 1
    assert labels.dtype == np.int64
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (images[0, 0, :, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_digits_are_split_at_random_and_without_overlap():
    data = digits()
    data = data._replace(labels=np.arange(1797))  # each image's number, to follow it
    train, test = train_test_split(data, np.random.default_rng(0), test=0.25)
    assert len(test.labels) == 449
    assert sorted([*train.labels, *test.labels]) == list(range(1797))
    assert (test.images == data.images[test.labels]).all()
    again = train_test_split(data, np.random.default_rng(0), test=0.25)[1]
    other = train_test_split(data, np.random.default_rng(1), test=0.25)[1]
    assert (again.labels == test.labels).all()
    assert (other.labels != test.labels).any()
    with pytest.raises(ValueError, match="both parts some of 1797, got 0"):
        train_test_split(data, np.random.default_rng(0), test=0)


@pytest.mark.parametrize(
    ("load", "missing", "command"),
    [(digits, "sklearn.datasets", "data"), (eeg, "matplotlib.cbook", "plot")],
)
def test_a_missing_library_is_named_with_its_command(load, missing, command, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf'pip install "minitx\[{command}\]"'):
        load()


def test_series_that_come_with_matplotlib():
    waves, price = eeg(), share_price()
    assert waves.shape == (800, 4)
    assert price.shape == (1047, 5)
    assert waves.dtype == price.dtype == np.float32
    assert np.isfinite(waves).all()
    opened, high, low, closed, _ = price.T
    assert (high >= np.maximum(opened, closed)).all()
    assert (low <= np.minimum(opened, closed)).all()


def test_sines_have_their_periods():
    series = sines(600, (20, 50), np.random.default_rng(0), noise=0.05)
    assert series.shape == (600, 2)
    assert series.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(series, axis=0))
    assert spectrum.argmax(axis=0).tolist() == [30, 12]


def test_scaling_and_back():
    series = np.stack([np.linspace(3, 9, 31), np.full(31, 5.0)], axis=-1)
    scaler = Scaler.of(series)
    scaled = scaler.apply(series)
    assert scaler.std[1] == 1
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(0), [1, 0], atol=1e-12)
    np.testing.assert_allclose(scaler.undo(scaled), series)


def test_parts_of_a_series_follow_each_other():
    series = np.arange(101)[:, None]
    parts = split_series(series)
    assert [len(part) for part in parts] == [71, 10, 20]
    assert (np.concatenate(parts) == series).all()
    with pytest.raises(ValueError, match=r"sum to 1, got \(0\.5, 0\.4\)"):
        split_series(series, (0.5, 0.4))


def test_pairs_of_past_and_future():
    series = np.arange(24).reshape(12, 2)
    past, future = forecast_pairs(series, 5, 3, stride=2)
    assert past.shape == (3, 5, 2)
    assert future.shape == (3, 3, 2)
    assert (past[1] == series[2:7]).all()
    assert (future[1] == series[7:10]).all()
    with pytest.raises(ValueError, match="12 steps has no window of 13"):
        forecast_pairs(series, 10, 3)


def test_regression_prompts_follow_their_task():
    prompts = LinearRegression(NormalPrior(3), 6, dtype=np.float64).sample(
        5, np.random.default_rng(0)
    )
    assert prompts.x.shape == (5, 7, 3)
    for x, y, w in zip(*prompts):
        np.testing.assert_allclose(y, x @ w, atol=1e-12)
    single = LinearRegression(NormalPrior(3), 6).sample(5, np.random.default_rng(0))
    assert {array.dtype for array in single} == {np.dtype(np.float32)}
    np.testing.assert_allclose(single.x, prompts.x, rtol=1e-6)


def test_noise_covariance_and_scale_are_as_asked():
    sigma = np.array([[2.0, 0.9, 0], [0.9, 1.0, 0], [0, 0, 0.25]])
    task = LinearRegression(NormalPrior(3, scale=2), 4, noise=0.5, covariance=sigma)
    x, y, w = task.sample(20_000, np.random.default_rng(1))
    flat = x.reshape(-1, 3)
    np.testing.assert_allclose(flat.T @ flat / len(flat), sigma, atol=0.03)
    np.testing.assert_allclose((y - np.einsum("bnd,bd->bn", x, w)).std(), 0.5, atol=0.01)
    np.testing.assert_allclose(w.std(0), 2, atol=0.05)
    diagonal = LinearRegression(NormalPrior(3), 4, covariance=[4, 1, 0])
    assert np.allclose(diagonal.root, np.diag([2, 1, 0]))


def test_a_mixture_draws_its_tasks_by_weight():
    means = np.array([[1.0, 2], [3, 4], [5, 6]])
    w = MixturePrior(means, [0.2, 0.0, 0.8]).sample(5000, np.random.default_rng(0))
    kinds, counts = np.unique(w, axis=0, return_counts=True)
    assert (kinds == means[[0, 2]]).all()
    np.testing.assert_allclose(counts / 5000, [0.2, 0.8], atol=0.02)
    spread = MixturePrior(means, spread=0.5).sample(5000, np.random.default_rng(0))
    nearest = np.abs(spread[:, None] - means).sum(-1).argmin(1)
    np.testing.assert_allclose((spread - means[nearest]).std(), 0.5, atol=0.03)


def test_prompts_as_tokens():
    prompts = LinearRegression(NormalPrior(3), 4).sample(5, np.random.default_rng(0))
    joint = joint_tokens(prompts)
    assert joint.shape == (5, 5, 4)
    assert (joint[..., :3] == prompts.x).all()
    assert (joint[:, :-1, 3] == prompts.y[:, :-1]).all()
    assert (joint[:, -1, 3] == 0).all()
    assert (prompts.y[:, -1] != 0).all()
    mixed = interleaved_tokens(prompts)
    assert mixed.shape == (5, 9, 3)
    assert (mixed[:, ::2] == prompts.x).all()
    assert (mixed[:, 1::2, 0] == prompts.y[:, :-1]).all()
    assert (mixed[:, 1::2, 1:] == 0).all()


def test_a_seed_fixes_the_prompts():
    task = LinearRegression(MixturePrior(np.eye(3), spread=0.1), 2, 0.1, [3, 2, 1])
    x, y, w = task.sample(2, np.random.default_rng(7))
    np.testing.assert_allclose(x[0, 0], [-0.8525267, -0.877484, 0.4898421], rtol=1e-5)
    np.testing.assert_allclose(y[1], [-1.388604, -1.275992, -0.3050177], rtol=1e-5)
    np.testing.assert_allclose(w[1], [-0.09916466, 0.00601436, 1.134022], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixturePrior([1, 2]), r"means \(M, d\), got \(2,\)"),
        (lambda: MixturePrior(np.eye(2), [0.5, 0.6]), "2 weights that sum to 1"),
        (lambda: MixturePrior(np.eye(2), [1.5, -0.5]), "2 weights that sum to 1"),
        (
            lambda: LinearRegression(NormalPrior(3), 2, covariance=np.eye(2)),
            r"\(3, 3\), got \(2, 2\)",
        ),
        (lambda: LinearRegression(NormalPrior(2), 2, covariance=[[1, 2], [2, 1]]), "got -1"),
        (lambda: LinearRegression(NormalPrior(2), 2, covariance=[[1, 2], [0, 1]]), "symmetric"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
