"""Depth: stacking and looping, alone and step by step."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.connections import PreNorm
from minitx.context import Context, Decoding
from minitx.depth import Loop, Stack
from minitx.token_mixers import Causal, MultiHeadAttention

B, T, D = 2, 5, 6


def block(seed):
    attention = MultiHeadAttention(D, 2, mask=Causal(), rng=seed)
    return Block(attention, MLP(D, 11, rng=seed), norm=lambda: nn.LayerNorm(D))


def draw():
    return Tensor(np.random.default_rng(0).normal(size=(B, T, D)))


def test_a_stack_is_its_blocks_in_a_row():
    blocks, x = [block(i) for i in range(3)], draw()
    assert np.array_equal(Stack(blocks)(x).numpy(), blocks[2](blocks[1](blocks[0](x))).numpy())
    assert Stack([])(x) is x


def test_a_loop_of_a_group_is_a_b_a_b():
    a, b, x = block(0), block(1), draw()
    looped = Loop(Stack([a, b]), 2)
    assert np.array_equal(looped(x).numpy(), b(a(b(a(x)))).numpy())
    assert len(looped.parameters()) == len(a.parameters()) + len(b.parameters())
    assert Loop(a, 0)(x) is x
    with pytest.raises(ValueError, match="got -1"):
        Loop(a, -1)


def test_the_connection_of_a_stack_joins_blocks():
    blocks, x = [MLP(D, 7, rng=i) for i in range(2)], draw()

    class Halves(PreNorm):
        def apply(self, state, sublayer, norm, ctx):
            assert norm is None
            return self.add(state, sublayer(state.x, ctx) * 0.5)

    got = Stack(blocks, connection=Halves())(x)
    expected = x + blocks[0](x) * 0.5
    expected = expected + blocks[1](expected) * 0.5
    assert np.abs(got.numpy() - expected.numpy()).max() < 1e-6


def test_each_use_in_a_loop_has_a_state_of_its_own():
    model, x = Loop(Stack([block(0), block(1)]), 3), draw()
    expected, decoding, found = model(x).numpy(), Decoding(B), []
    with no_grad():
        for t in range(T):
            decoding.begin()
            ctx = Context(np.array([[[t]]]), decoding=decoding)
            found.append(model(x[:, t : t + 1], ctx).numpy())
    assert len(decoding.states) == 6
    assert np.abs(np.concatenate(found, 1) - expected).max() < 1e-5
