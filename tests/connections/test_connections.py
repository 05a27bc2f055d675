"""Connections: each formula by hand, in a Block of two sublayers."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx import functional as F
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.connections import (
    Gate,
    LayerScale,
    OutputNorm,
    PostNorm,
    PreNorm,
    Residual,
    SandwichNorm,
    Scaled,
)
from minitx.token_mixers import Causal, CrossAttention, MultiHeadAttention

B, T, D = 2, 5, 6


def sublayers():
    return MultiHeadAttention(D, 2, mask=Causal(), rng=0), MLP(D, 11, rng=1)


def norm():
    made = nn.LayerNorm(D)
    made.weight.assign(np.linspace(0.5, 2, D))
    made.bias.assign(np.linspace(-1, 1, D))
    return made


def block(connection):
    return Block(*sublayers(), norm=norm, connection=connection)


def draw(seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=(B, T, D)))


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


FORMULAS = {
    "none": (Residual, lambda x, f, n: x + f(x)),
    "pre": (PreNorm, lambda x, f, n: x + f(n(x))),
    "post": (PostNorm, lambda x, f, n: n(x + f(x))),
    "deep": (lambda: PostNorm(stream_scale=1.7), lambda x, f, n: n(x * 1.7 + f(x))),
    "output": (OutputNorm, lambda x, f, n: x + n(f(x))),
    "sandwich": (SandwichNorm, lambda x, f, n: x + n(f(n(x)))),
    "scaled": (lambda: PreNorm(Scaled(0.3), Scaled(0.3)), lambda x, f, n: x + 0.3 * f(n(x))),
    "layer scale": (
        lambda: PreNorm(LayerScale(D, 0.2), LayerScale(D, 0.2)),
        lambda x, f, n: x + 0.2 * f(n(x)),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    make, formula = FORMULAS[name]
    x, n = draw(), norm()
    expected = x
    for f in sublayers():
        expected = formula(expected, f, n)
    assert gap(block(make())(x), expected) < 1e-6


@pytest.mark.parametrize("name", FORMULAS)
def test_every_parameter_learns(name):
    made = block(FORMULAS[name][0]())
    (made(draw()) ** 3).sum().backward()
    counts = {"none": 0, "sandwich": 4}
    assert sum(".weight" in n and "norms" in n for n, _ in made.named_parameters()) == counts.get(
        name, 2
    )
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in made.parameters())


def test_gates_open_from_the_stream():
    x, gates = draw(), [Gate(D, bias=0.3, rng=i) for i in range(2)]
    expected, n = x, norm()
    for f, gate in zip(sublayers(), gates, strict=True):
        g = F.sigmoid(gate.gate(expected))
        expected = (1 - g) * expected + g * f(n(expected))
    assert gap(block(PreNorm(*gates))(x), expected) < 1e-6
    shut = block(PreNorm(Gate(D, -50.0, rng=0), Gate(D, -50.0, rng=0)))
    assert gap(shut(x), x) < 1e-6


def test_zero_scales_are_the_identity():
    x = draw()
    assert np.array_equal(block(PreNorm(Scaled(), Scaled()))(x).numpy(), x.numpy())


def test_dropout_is_of_updates_alone():
    made = block(PreNorm(dropout=nn.Dropout(0.5, rng=0)))
    x = draw()
    dropped = nn.Dropout(0.5, rng=0)
    expected, n = x, norm()
    for f in sublayers():
        expected = expected + dropped(f(n(expected)))
    assert gap(made(x), expected) < 1e-6
    assert gap(made.eval()(x), block(PreNorm())(x)) == 0


def test_additions_are_counted():
    with pytest.raises(ValueError, match="expected 1 sublayers"):
        block(PreNorm(Scaled()))(draw())


def test_a_block_may_have_any_number_of_sublayers():
    one = Block(MLP(D, 7, rng=0), norm=norm)
    assert one(draw()).shape == (B, T, D)
    four = Block(*sublayers(), *sublayers(), norm=norm)
    assert len(four.norms) == 4
    with pytest.raises(ValueError, match="at least one sublayer"):
        Block(norm=norm)
    with pytest.raises(ValueError, match="with a source, got none"):
        Block(CrossAttention(D, 2, rng=0), norm=norm)(draw())
