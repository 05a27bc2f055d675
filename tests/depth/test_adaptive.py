"""Adaptive computation time: against Graves's recipe written for one token."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.channel_mixers import MLP
from minitx.context import Context
from minitx.depth import AdaptiveLoop

B, T, D, MOST = 2, 5, 6, 4


def loop(bias=0.0, most=MOST):
    model = AdaptiveLoop(MLP(D, 11, rng=0), D, most, cost=0.5, rng=1)
    model.stop.bias.assign(np.array([bias]))
    return model


def draw():
    return np.random.default_rng(0).normal(size=(B, T, D))


def one_token(model, x):
    """(y, N + R) of one token."""
    spent, y, h = 0.0, 0.0, Tensor(x[None, None])
    for n in range(1, model.most + 1):
        h = model.block(h)
        p = 1 / (1 + np.exp(-float(model.stop(h).numpy().item())))
        if n == model.most or spent + p > 1 - model.slack:
            return y + (1 - spent) * h.numpy()[0, 0], n + 1 - spent
        y, spent = y + p * h.numpy()[0, 0], spent + p
    raise AssertionError


@pytest.mark.parametrize("bias", [-0.5, 3.0])
def test_each_token_goes_its_own_way(bias):
    model, x = loop(bias), draw()
    ctx = Context.of(Tensor(x))
    y = model(Tensor(x), ctx).numpy()
    costs = []
    for row in range(B):
        for t in range(T):
            expected, cost = one_token(model, x[row, t])
            costs.append(cost)
            assert np.abs(y[row, t] - expected).max() < 1e-5
    ((name, loss),) = ctx.losses
    assert name == "ponder" and abs(loss.item() - 0.5 * np.mean(costs)) < 1e-5


def test_sure_to_stop_is_one_pass_and_sure_to_go_on_is_all():
    x = Tensor(draw())
    assert np.abs(loop(50.0)(x).numpy() - loop().block(x).numpy()).max() < 1e-6
    once = loop().block
    whole = once(once(once(once(x))))
    assert np.abs(loop(-50.0)(x).numpy() - whole.numpy()).max() < 1e-6


def test_padding_is_not_charged_and_passes_are_counted():
    x = Tensor(draw())
    valid = np.ones((B, T), bool)
    valid[0, 2:] = False
    ctx, alone = Context.of(x, valid=valid), Context.of(x[:, :2])
    loop()(x, ctx)
    loop()(x[:1, :2], alone)
    rest = Context.of(x)
    loop()(x[1:], rest)
    expected = (2 * alone.losses[0][1].item() + T * rest.losses[0][1].item()) / (2 + T)
    assert abs(ctx.losses[0][1].item() - expected) < 1e-5
    with pytest.raises(ValueError, match="got 0"):
        AdaptiveLoop(MLP(D, 3, rng=0), D, 0)
