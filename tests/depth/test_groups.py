"""A group used again and again: the loop that it is, and a loss for every part that chooses."""

import numpy as np

from minitx import Tensor, nn
from minitx.block import Block
from minitx.channel_mixers import MLP, SigmaMoE
from minitx.connections import PeriNorm
from minitx.context import Context
from minitx.depth import Group, Loop, Stack
from minitx.token_mixers import Causal, SwitchHead

B, T, D = 2, 5, 6


def block(seed):
    attention = SwitchHead(D, 2, 3, 2, mask=Causal(), balance=0.001, rng=seed)
    experts = SigmaMoE(D, 5, 7, 3, balance=0.01, rng=seed)
    return Block(attention, experts, norm=lambda: nn.LayerNorm(D), connection=PeriNorm())


def draw():
    return Tensor(np.random.default_rng(0).normal(size=(B, T, D)))


def test_it_is_a_loop_of_a_stack():
    x, blocks = draw(), [block(0), block(1)]
    assert np.array_equal(Group(blocks, 3)(x).numpy(), Loop(Stack(blocks), 3)(x).numpy())


def test_a_loss_for_each_choosing_part_over_all_its_uses():
    x, blocks, ctx = draw(), [block(0), block(1)], Context.of(draw())
    Group(blocks, 3)(x, ctx)
    assert [name for name, _ in ctx.losses] == ["balance"] * 6 and ctx.shared == {}
    heard, loop = Context.of(x), Loop(Stack(blocks), 3)
    loop(x, heard)
    uses = heard.shared["choices"][id(blocks[1].sublayers[1])]
    assert len(uses.logits) == 3
    raw = np.stack([logits.numpy()[:, :, 0] for logits in uses.logits])
    share = np.exp(raw) / np.exp(raw).sum(-1, keepdims=True)
    share = share.mean((0, 1, 2))
    assert abs(ctx.losses[-1][1].item() - 0.01 * (share * np.log(share)).sum()) < 1e-7


def test_parts_that_do_not_choose_leave_nothing():
    ctx = Context.of(draw())
    Group([MLP(D, 7, rng=0)], 2)(draw(), ctx)
    assert ctx.losses == []
