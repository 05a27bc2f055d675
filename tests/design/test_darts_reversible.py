"""A reversible connection of several splits, whose sublayers are mixtures of candidates."""

from typing import NamedTuple

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx import functional as F
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.connections import Connection
from minitx.context import Context
from minitx.token_mixers import Causal, MultiHeadAttention


class Splits(NamedTuple):
    parts: tuple
    turn: int = 0


class Reversible(Connection):
    """y_k = x_k + G_k(sum of the other parts), one part after the other."""

    def __init__(self, parts):
        self.parts = parts

    def begin(self, x):
        return Splits(tuple(F.split(x, self.parts, axis=-1)))

    def end(self, state):
        return F.concatenate(state.parts, axis=-1)

    def apply(self, state, sublayer, norm, ctx):
        k, update = state.turn % self.parts, self._update(state, sublayer, norm, ctx)
        return Splits(_changed(state.parts, k, state.parts[k] + update), state.turn + 1)

    def invert(self, state, sublayer, norm, ctx):
        state = Splits(state.parts, state.turn - 1)
        k, update = state.turn % self.parts, self._update(state, sublayer, norm, ctx)
        return Splits(_changed(state.parts, k, state.parts[k] - update), state.turn)

    def _update(self, state, sublayer, norm, ctx):
        k = state.turn % self.parts
        return sublayer(norm(sum(part for i, part in enumerate(state.parts) if i != k)), ctx)


def _changed(parts, k, part):
    return (*parts[:k], part, *parts[k + 1 :])


class Mixed(nn.Module):
    """sum_o softmax(alpha)_o o(x) over candidate sublayers."""

    def __init__(self, *candidates):
        self.candidates = list(candidates)
        self.alpha = nn.Parameter(np.linspace(-1, 1, len(candidates)))

    def forward(self, x, ctx):
        shares = F.softmax(self.alpha)
        return sum(shares[i] * part(x, ctx) for i, part in enumerate(self.candidates))


def reversible_block(parts, rng, d=6):
    def candidates():
        attention = MultiHeadAttention(d, 2, mask=Causal(), rng=rng)
        return Mixed(attention, MLP(d, 13, rng=rng))

    norm = lambda: nn.LayerNorm(d)  # noqa: E731
    return Block(*(candidates() for _ in range(parts)), norm=norm, connection=Reversible(parts))


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_what_went_in_is_found_again(parts):
    rng = np.random.default_rng(parts)
    block = reversible_block(parts, rng).to(np.float64)
    x = Tensor(rng.normal(size=(2, 5, 6 * parts)), dtype=np.float64)
    y, ctx, join = block(x), Context.of(x), block.connection
    assert np.abs((y - x).numpy()).max() > 0.1
    state = join.begin(y)._replace(turn=parts)
    for sublayer, norm in zip(block.sublayers[::-1], block.norms[::-1], strict=True):
        state = join.invert(state, sublayer, norm, ctx)
    assert np.abs(join.end(state).numpy() - x.numpy()).max() < 1e-12


def test_two_parts_are_the_reversible_residual_network():
    rng = np.random.default_rng(9)
    block = reversible_block(2, rng)
    x = Tensor(rng.normal(size=(2, 5, 12)))
    (f, g), (nf, ng), ctx = block.sublayers, block.norms, Context.of(x)
    x1, x2 = F.split(x, 2, axis=-1)
    y1 = x1 + f(nf(x2), ctx)
    y2 = x2 + g(ng(y1), ctx)
    assert np.abs(block(x).numpy() - F.concatenate([y1, y2], -1).numpy()).max() < 1e-6
