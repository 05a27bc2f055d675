"""A group of layers used again and again, with experts, and a norm only before choices."""

import numpy as np

from minitx import Tensor, nn
from minitx import functional as F
from minitx.block import Block
from minitx.connections import Residual
from minitx.context import Context
from minitx.depth import Loop, Stack
from minitx.token_mixers import Causal, MultiHeadAttention, split_heads


class PeriAttention(MultiHeadAttention):
    """att(LN x, LN x, x): the norm is for queries and keys alone."""

    def __init__(self, d_model, num_heads, norm, **options):
        super().__init__(d_model, num_heads, bias=False, **options)
        self.norm = norm

    def project(self, x, ctx):
        q, k, _ = split_heads(self.qkv(self.norm(x)), *[self.num_heads] * 3)
        _, _, v = split_heads(self.qkv(x), *[self.num_heads] * 3)
        return q, k, v


class SigmaExperts(nn.Module):
    """sum over the K best experts of s_e relu(x W_1) W_2, with s = sigmoid(W_s LN x)."""

    def __init__(self, d_model, experts, width, top, norm, rng):
        self.norm, self.top = norm, top
        self.choose = nn.Linear(d_model, experts, bias=False, rng=rng)
        self.up = nn.Parameter(0.3 * rng.normal(size=(experts, d_model, width)))
        self.down = nn.Parameter(0.3 * rng.normal(size=(experts, width, d_model)))

    def forward(self, x, ctx):
        score = F.sigmoid(self.choose(self.norm(x)))  # (B, T, E)
        least = np.sort(score.numpy(), axis=-1)[..., -self.top, None]
        gate = F.where(score.numpy() >= least, score, 0)
        ctx.shared.setdefault("choices", {}).setdefault(id(self), []).append(score)
        h = F.relu(F.einsum("btd,edf->btef", x, self.up)) * F.expand_dims(gate, -1)
        return F.einsum("btef,efd->btd", h, self.down)


def balance(ctx):
    """Minus the entropy of each layer's mean choice over the batch and all its uses."""
    for scores in ctx.shared["choices"].values():
        mean = F.mean(F.stack([F.softmax(s) for s in scores]), axis=(0, 1, 2))
        ctx.losses.append(("balance", F.sum(mean * F.log(mean))))


def model(rng, repeats):
    def layer():
        norms = [nn.LayerNorm(6, eps=0.0) for _ in range(2)]
        attention = PeriAttention(6, 2, norms[0], mask=Causal(), rng=rng)
        experts = SigmaExperts(6, 5, 3, 2, norms[1], rng)
        return Block(attention, experts, norm=None, connection=Residual())

    return Loop(Stack([layer(), layer()]), repeats)


def test_blocks_are_homogeneous_of_degree_one():
    rng = np.random.default_rng(0)
    x, block = Tensor(rng.normal(size=(2, 7, 6))), model(rng, 3)
    assert np.abs(block(x * 8).numpy() - 8 * block(x).numpy()).max() < 1e-4 * 8


def test_groups_repeat_and_share_their_gradient():
    rng = np.random.default_rng(1)
    x, twice = Tensor(rng.normal(size=(2, 7, 6))), model(rng, 2)
    a, b = twice.block.blocks
    by_hand = b(a(b(a(x))))
    assert np.array_equal(twice(x).numpy(), by_hand.numpy())
    assert len(twice.parameters()) == len(a.parameters()) + len(b.parameters())


def test_parts_leave_what_the_objective_needs():
    rng = np.random.default_rng(2)
    x, group = Tensor(rng.normal(size=(2, 7, 6))), model(rng, 3)
    ctx = Context.of(x)
    group(x, ctx)
    assert [len(s) for s in ctx.shared["choices"].values()] == [3, 3]
    balance(ctx)
    assert [name for name, _ in ctx.losses] == ["balance"] * 2
    assert all(-np.log(5) <= value.item() < 0 for _, value in ctx.losses)
