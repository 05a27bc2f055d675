"""Leaving early: what is copied, what is heard, who stops when, and what an oracle would do."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.context import Context, Decoding
from minitx.depth import (
    After,
    Confident,
    EarlyExit,
    Poisson,
    Stack,
    exit_distribution,
    first_right,
    likelihood_oracle,
)
from minitx.token_mixers import Causal, MultiHeadAttention

B, T, D, N = 2, 5, 6, 3


def blocks():
    def block(seed):
        attention = MultiHeadAttention(D, 2, mask=Causal(), rng=seed)
        return Block(attention, MLP(D, 11, rng=seed), norm=lambda: nn.LayerNorm(D))

    return [block(i) for i in range(N)]


def draw():
    return Tensor(np.random.default_rng(0).normal(size=(B, T, D)))


def test_never_is_a_stack_and_all_at_n_is_a_shorter_one():
    x = draw()
    assert np.array_equal(EarlyExit(blocks())(x).numpy(), Stack(blocks())(x).numpy())
    states = EarlyExit(blocks()).states(x)
    assert len(states) == N
    for n in range(1, N + 1):
        expected = Stack(blocks()[:n])(x).numpy()
        assert np.array_equal(EarlyExit(blocks(), After(n))(x).numpy(), expected)
        assert np.array_equal(states[n - 1].numpy(), expected)


def test_copied_states_are_what_deeper_blocks_hear():
    """Against a loop over single tokens, each with the states that came before it."""
    x, exits = draw(), np.random.default_rng(1).integers(1, N + 1, (B, T))
    ctx = Context.of(x)
    found = EarlyExit(blocks(), After(exits))(x, ctx).numpy()
    assert np.array_equal(ctx.shared["blocks"], exits)
    for row in range(B):
        inputs = [list(x.numpy()[row])] + [[] for _ in range(N)]  # what each block is given
        for t in range(T):
            h = inputs[0][t]
            for n, block in enumerate(blocks(), 1):
                if n <= exits[row, t]:
                    past = Tensor(np.array([*inputs[n - 1][:t], h])[None])
                    h = block(past).numpy()[0, -1]
                inputs[n].append(h)
            assert np.abs(h - found[row, t]).max() < 1e-5


def test_step_by_step_it_is_the_same():
    x = draw()
    model = EarlyExit(blocks(), Poisson(lambda x: x[..., :1]))
    ctx = Context.of(x)
    expected, taken = model(x, ctx).numpy(), ctx.shared["blocks"]
    assert len(np.unique(taken)) > 1
    decoding = Decoding(B)
    with no_grad():
        for t in range(T):
            decoding.begin()
            here = Context(np.array([[[t]]]), decoding=decoding)
            y = model(x[:, t : t + 1], here).numpy()
            assert np.array_equal(here.shared["blocks"], taken[:, t : t + 1])
            assert np.abs(y - expected[:, t : t + 1]).max() < 1e-5


def test_rules_stop_where_they_say():
    x = Tensor([[[2.0, 0.0], [0.5, 0.0], [-2.0, 0.0]]])
    sure = Confident(lambda x: x, 0.7)  # softmax of (2, 0) is 0.88, of (0.5, 0) is 0.62
    assert sure(x, 1).tolist() == [[True, False, True]]
    assert not Confident(lambda x: x, 1.0001)(x * 1e4, 1).any()
    assert Poisson(lambda x: x[..., :1])(x, 1).tolist() == [[True, True, False]]
    assert After([[1, 2, 3]])(x, 2).tolist() == [[True, True, False]]


def test_the_distribution_over_exits():
    stop = Tensor([[0.25, 0.5, 0.1]])
    assert np.allclose(exit_distribution(stop).numpy(), [[0.25, 0.375, 0.375]])


def test_oracles():
    losses = np.array([[[3.0, 1.0, 0.9], [0.2, 0.3, 0.1]]])  # (1, 2, 3)
    assert likelihood_oracle(losses, 0.0).tolist() == [[3, 3]]
    assert likelihood_oracle(losses, 0.5).tolist() == [[2, 1]]
    assert likelihood_oracle(losses, 100.0).tolist() == [[1, 1]]
    assert likelihood_oracle(losses, 0.5, width=1e6).tolist() == [[2, 2]]  # both: the mean
    right = np.array([[True, False, True], [False, False, True], [False] * 3])
    assert first_right(right).tolist() == [1, 3, 3]


def test_gradients_flow_to_the_blocks_that_were_used():
    model, x = EarlyExit(blocks(), After(np.array([[1, 2, 1, 1, 2]] * B))), draw()
    (model(x) ** 2).sum().backward()
    moved = [max(float(np.abs(p.grad.numpy()).max()) for p in b.parameters()) for b in model.blocks]
    assert moved[0] > 0 and moved[1] > 0 and moved[2] == pytest.approx(0)
