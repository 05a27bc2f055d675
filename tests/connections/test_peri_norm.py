"""Peri-norm: what is chosen by the norm, what hears the stream, and what is left behind."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx.block import Block
from minitx.connections import PeriNorm
from minitx.context import Context


class Both(nn.Module):
    """x plus ten times the normed x."""

    def forward(self, x, ctx):
        return x + 10 * ctx.shared["normed"]


class Breaks(nn.Module):
    def forward(self, x, ctx):
        raise RuntimeError("on purpose")


def block(*sublayers):
    return Block(*sublayers, norm=lambda: nn.LayerNorm(6, eps=0.0), connection=PeriNorm())


def test_a_sublayer_is_given_the_stream_and_finds_the_norm():
    x = np.random.default_rng(0).normal(size=(2, 5, 6))
    normed = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    ctx = Context.of(Tensor(x))
    assert np.abs(block(Both())(Tensor(x), ctx).numpy() - (2 * x + 10 * normed)).max() < 1e-5
    assert ctx.shared == {}


def test_the_norm_is_gone_also_after_an_error():
    x = Tensor(np.arange(12.0).reshape(1, 2, 6))
    ctx = Context.of(x)
    with pytest.raises(RuntimeError, match="on purpose"):
        block(Breaks())(x, ctx)
    assert ctx.shared == {}
