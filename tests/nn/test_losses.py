"""Losses: against loops, at their limits, with masks; and what they refuse."""

import math

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.autograd.check import check_grads
from minitx.nn import losses


def real(*shape, seed=0):
    return Tensor(np.random.default_rng([seed, *shape]).standard_normal(shape), dtype=np.float64)


TARGETS = np.array([[4, 0, 2], [2, 2, 1]])
MASK = np.array([[True, False, True], [True, True, False]])


def test_weighted_smoothed_cross_entropy_against_loops():
    logits, weights = real(2, 3, 5), np.array([0.5, 2.0, 1.0, 0.3, 1.7])
    got = losses.cross_entropy(
        logits, TARGETS, MASK, weights=weights, label_smoothing=0.2, ignore=4
    ).item()
    total = share = 0.0
    for row, target, counts in zip(
        logits.numpy().reshape(6, 5), TARGETS.ravel(), MASK.ravel(), strict=True
    ):
        if counts and target != 4:
            log_p = row - math.log(sum(math.exp(z) for z in row))
            total -= 0.8 * weights[target] * log_p[target]
            total -= 0.2 / 5 * sum(w * p for w, p in zip(weights, log_p, strict=True))
            share += weights[target]
    assert got == pytest.approx(total / share, rel=1e-12)


def test_what_is_masked_changes_nothing():
    logits = Tensor(real(2, 3, 5), requires_grad=True)
    losses.cross_entropy(logits, TARGETS, MASK).backward()
    assert not logits.grad.numpy()[~MASK].any()
    assert logits.grad.numpy()[MASK].all()
    hidden = np.where(MASK, TARGETS, -100)
    weights = np.arange(1.0, 6.0)
    a = losses.cross_entropy(logits, hidden, MASK, weights=weights).item()
    assert a == losses.cross_entropy(logits, TARGETS, MASK, weights=weights).item()
    a = losses.cross_entropy(logits, hidden, ignore=-100).item()
    assert a == losses.cross_entropy(logits, TARGETS, MASK).item()


CASES = {
    "cross_entropy": lambda a, b: losses.cross_entropy(
        a, np.array([0, 4, 2]), weights=np.arange(1.0, 6.0), label_smoothing=0.1
    ),
    "mse": losses.mse,
    "mae": losses.mae,
    "huber": losses.huber,
    "bce": lambda a, b: losses.bce_with_logits(a, F.sigmoid(b), positive_weight=2.5),
    "kl": lambda a, b: losses.kl_div(F.log_softmax(a), F.log_softmax(b)),
    "info_nce": lambda a, b: losses.info_nce(a, b, 0.5, symmetric=True),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    check_grads(CASES[name], real(3, 5), real(3, 5, seed=1))


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "bce_with_logits"])
def test_mask_and_reductions(name):
    loss, a, b = getattr(losses, name), real(2, 3), F.sigmoid(real(2, 3, seed=1))
    each = loss(a, b, reduction="none").numpy()
    assert each.shape == (2, 3)
    assert loss(a, b, reduction="sum").item() == pytest.approx(each.sum())
    assert loss(a, b).item() == pytest.approx(each.mean())
    assert loss(a, b, MASK).item() == pytest.approx(each[MASK].mean())
    np.testing.assert_array_equal(loss(a, b, MASK, reduction="none").numpy()[~MASK], 0)


def test_binary_cross_entropy_does_not_overflow():
    x = Tensor([1e4, -1e4, 1e4, -1e4], requires_grad=True)
    loss = losses.bce_with_logits(x, np.array([1.0, 0.0, 0.0, 1.0]), reduction="none")
    np.testing.assert_array_equal(loss.numpy(), [0, 0, 1e4, 1e4])
    loss.backward(np.ones(4))
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 1, -1], atol=1e-6)


def test_divergence_of_equals_is_nothing_and_the_impossible_costs_nothing():
    log_p = F.log_softmax(real(3, 5))
    assert losses.kl_div(log_p, log_p).item() == 0
    p = Tensor([[0.0, -np.inf]], requires_grad=True)
    loss = losses.kl_div(p, Tensor(np.log([[0.5, 0.5]])))
    assert loss.item() == pytest.approx(math.log(2))
    loss.backward()
    assert np.isfinite(p.grad.numpy()).all()


def test_contrast_is_least_where_pairs_agree():
    x = np.eye(5, 7)
    x, turned = Tensor(x, dtype=np.float64), Tensor(np.roll(x, 1, 0), dtype=np.float64)
    matched, shuffled = (losses.info_nce(x, y, 0.1).item() for y in (x, turned))
    assert matched == pytest.approx(math.log(1 + 4 * math.exp(-10)), rel=1e-9)
    assert shuffled == pytest.approx(10 + matched, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.mse(real(3), real(3, 1)), r"one shape, got \(3,\) and \(3, 1\)"),
        (lambda: losses.mae(real(3), np.ones(2)), r"mae .* got \(3,\) and \(2,\)"),
        (lambda: losses.mse(real(3), real(3), np.ones(3)), "boolean mask .* got float64"),
        (lambda: losses.mse(real(3), real(3), np.ones(2, bool)), r"shape \(3,\), got bool \(2,\)"),
        (lambda: losses.mse(real(3), real(3), np.zeros(3, bool)), "at least one entry"),
        (lambda: losses.mse(real(3), real(3), reduction="average"), "got 'average'"),
        (lambda: losses.huber(real(3), real(3), delta=0), "delta > 0, got 0"),
        (lambda: losses.info_nce(real(3, 5), real(3, 7)), r"got \(3, 5\) and \(3, 7\)"),
        (lambda: losses.cross_entropy(real(3, 5), np.zeros(2, int)), r"targets of shape \(3,\)"),
        (lambda: losses.cross_entropy(real(1, 5), np.zeros(1, int), weights=[1.0]),
         r"weights of shape \(5,\), got \(1,\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_losses_stay_on_their_device(standin):
    logits = standin.tensor(np.random.default_rng(0).standard_normal((2, 3, 5)), requires_grad=True)
    other = standin.tensor(np.random.default_rng(1).standard_normal((2, 3, 5)))
    found = [
        losses.cross_entropy(logits, TARGETS, MASK, weights=np.arange(1.0, 6), label_smoothing=0.1),
        losses.cross_entropy(logits, TARGETS, ignore=2),
        losses.mse(logits, other),
        losses.huber(logits, other),
        losses.bce_with_logits(logits, F.sigmoid(other)),
        losses.kl_div(F.log_softmax(logits), F.log_softmax(other), MASK),
        losses.info_nce(logits[0], other[0], symmetric=True),
    ]
    for loss in found:
        assert loss.device == "cuda"
        loss.backward()
