"""The loops that judge readers say the same as the package; the sick runs are told apart."""

import numpy as np
import pytest

from minitx import Tensor, nn, training
from minitx.checks.training import adamw, by_hand, clip, diagnose, epoch, prediction
from minitx.nn import losses


def parameter(values):
    return nn.Parameter(values, dtype=np.float64)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adamw_is_the_package_s(decay):
    rng = np.random.default_rng(0)
    w, slopes = rng.normal(size=5), rng.normal(size=(11, 5))
    p = parameter(w)
    optimiser = training.AdamW([p], lr=adamw.LR, weight_decay=decay)
    for g in slopes:
        p.grad = Tensor(g, dtype=np.float64)
        optimiser.step()
    np.testing.assert_allclose(p.numpy(), adamw.walk(w, slopes, decay), rtol=0, atol=1e-13)


def test_the_norm_is_the_package_s():
    rng = np.random.default_rng(1)
    parts = [parameter(np.zeros(shape)) for shape in ((3, 5), (7,), (2, 1, 2))]
    for p in parts:
        p.grad = Tensor(rng.normal(size=p.shape), dtype=np.float64)
    arrays = [p.grad.numpy() for p in parts]
    assert training.global_norm(parts) == pytest.approx(clip.length(arrays), rel=1e-14)


def test_an_epoch_is_the_package_s():
    rng = np.random.default_rng(2)
    w, x, y = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=7)
    batches = [np.array([4, 1, 3]), np.array([6, 0]), np.array([2, 5])]
    p = parameter(w)
    optimiser = training.SGD([p], lr=epoch.LR)
    for rows in batches:
        optimiser.zero_grad()
        (losses.mse(Tensor(x[rows], dtype=np.float64) @ p, y[rows]) / 2).backward()
        optimiser.step()
    np.testing.assert_allclose(p.numpy(), epoch.right(w, x, y, batches), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("lr", "momentum"), prediction.CASES)
def test_a_path_is_the_package_s(lr, momentum):
    p, found = parameter(np.array(1.0)), [1.0]
    optimiser = training.SGD([p], lr=lr, momentum=momentum)
    for _ in range(20):
        p.grad = Tensor(prediction.CURVATURE * p.numpy(), dtype=np.float64)
        optimiser.step()
        found.append(p.item())
    np.testing.assert_allclose(prediction.path(lr, momentum, steps=20), found, rtol=1e-9)


def test_the_pencil_s_steps_are_the_package_s():
    def after(optimiser, **options):
        p = parameter(by_hand.P)
        p.grad = Tensor(by_hand.G, dtype=np.float64)
        optimiser([p], lr=by_hand.LR, **options).step()
        return p.numpy()

    signs = by_hand.LR * by_hand.SIGN
    decayed = by_hand.P * (1 - by_hand.LR * by_hand.DECAY)
    np.testing.assert_allclose(after(training.Adam, eps=0), by_hand.P - signs, rtol=1e-14)
    found = after(training.AdamW, eps=0, weight_decay=by_hand.DECAY)
    np.testing.assert_allclose(found, decayed - signs, rtol=1e-14)


@pytest.mark.parametrize("kind", diagnose.KINDS)
def test_a_run_has_the_marks_that_its_hints_name(kind):
    for seed in range(40):
        train, held = diagnose.run(kind, np.random.default_rng(seed))
        start, end, lowest = held[0], held[-1], held.argmin()
        marks = {
            "too large": end > 100 * start,
            "not cleared": held[lowest] < start / 3 and start / 2 < held[lowest:].max(),
            "too few": train[-20:].mean() < end / 5 and end > start / 15,
            "healthy": end < start / 20,
            "too small": (np.diff(held) < 0).mean() > 0.95 and end > start / 2,
            "shuffled": end > start / 2 and 0.3 < (np.diff(held) < 0).mean() < 0.8,
        }
        assert marks[kind], seed
