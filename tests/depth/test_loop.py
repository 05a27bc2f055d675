"""Loops with their input added, and with a part before and after."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx import functional as F
from minitx.autograd.transforms import grad
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.depth import InjectedLoop, Loop, PreLoopPost, Stack, iterate
from minitx.token_mixers import Causal, MultiHeadAttention

B, T, D = 2, 5, 6


def block(seed):
    attention = MultiHeadAttention(D, 2, mask=Causal(), rng=seed)
    return Block(attention, MLP(D, 11, rng=seed), norm=lambda: nn.LayerNorm(D))


def draw():
    return Tensor(np.random.default_rng(0).normal(size=(B, T, D)))


def test_a_loop_is_told_its_input_in_every_pass():
    one, x = block(0), draw()
    first = one(x)
    second = one(first + x)
    said = list(InjectedLoop(one, 2).passes(x))
    assert np.array_equal(said[0].numpy(), first.numpy())
    assert np.array_equal(said[1].numpy(), second.numpy())
    assert np.array_equal(InjectedLoop(one, 2)(x).numpy(), second.numpy())
    assert not InjectedLoop(one, 0)(x).numpy().any()
    with pytest.raises(ValueError, match="got -1"):
        InjectedLoop(one, -1)


def test_a_window_cuts_the_gradient_off_where_it_says():
    """y <- w y from 1: after 5 passes w^5, and with a window of 2 the derivative of w^2 (w^3)."""
    w = Tensor(np.array(1.5), dtype=np.float64)

    def last(w, window):
        *_, y = iterate(lambda y: w * y, F.ones_like(w), 5, window)
        return y

    for window, power in ((None, 5), (5, 5), (2, 2), (1, 1)):
        found = grad(lambda w, window=window: last(w, window))(w).item()
        assert abs(found - power * 1.5**4) < 1e-12
    for window in (6, -1):
        with pytest.raises(ValueError, match=f"window {window} and times 5"):
            last(w, window)


def test_before_loop_after_is_the_stack_of_the_three():
    pre, body, post = (block(seed) for seed in range(3))
    model, x = PreLoopPost(pre, body, post, 3), draw()
    assert np.array_equal(model(x).numpy(), Stack([pre, Loop(body, 3), post])(x).numpy())
    states, said = list(model.states(x)), list(model.passes(x))
    assert np.array_equal(said[2].numpy(), model(x).numpy())
    assert np.array_equal(post(states[0]).numpy(), said[0].numpy())
    assert len(list(model.passes(x, times=7))) == 7
    with pytest.raises(ValueError, match="got -2"):
        PreLoopPost(pre, body, post, -2)
