"""What a connection owes: every sublayer is heard once, in order, and its state is its own."""

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.connection import Connection
from minitx.context import Context
from minitx.contracts.battery import (
    D_MODEL,
    LENGTH,
    NUM_HEADS,
    Variant,
    as_function,
    changed,
    distance,
    holds_if_declared,
    same,
    tokens,
)
from minitx.contracts.common import contract
from minitx.nn.module import Module
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal

CONNECTION = contract("connection", "keeps_stream")


class Silent(Module):
    """A sublayer that says nothing: zeros."""

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return x * 0


class Heard(Module):
    """A sublayer that writes its name on a list when it is called."""

    def __init__(self, name: str, calls: list[str]):
        self.name, self.calls = name, calls

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        self.calls.append(self.name)
        return x * 0.5


def joined(connection: Connection, rng: np.random.Generator) -> Block:
    """A block of causal attention and an MLP, joined by ``connection``."""
    return Block(
        MultiHeadAttention(D_MODEL, NUM_HEADS, mask=Causal(), rng=rng),
        MLP(D_MODEL, 2 * D_MODEL, rng=rng),
        norm=lambda: nn.RMSNorm(D_MODEL),
        connection=connection,
    )


@CONNECTION.check
def every_sublayer_is_heard(variant: Variant) -> None:
    """Every parameter of every sublayer changes the output."""
    module = variant.instance()
    function, weights = as_function(module)
    _, pull = vjp(function, weights, tokens())
    held, dx = pull(tokens(seed=11))
    silent = [name for name, g in held.items() if not np.abs(g.numpy()).max() > 1e-9]
    # a bias of the keys cancels in the softmax, but it is part of one bias for q, k and v
    assert not silent, f"these parameters change nothing: {silent}"
    assert np.abs(dx.numpy()).min() > 0, "a number of the input changes nothing"


@CONNECTION.check
def once_and_in_order(variant: Variant) -> None:
    """Each sublayer is called once, in the order given."""
    module, calls = variant.instance(), []
    module.sublayers = [Heard("first", calls), Heard("second", calls)]
    module(tokens())
    assert calls == ["first", "second"], f"expected first, second, got {calls}"


@CONNECTION.check
def keeps_stream(variant: Variant) -> None:
    """Sublayers that say nothing leave the tokens as they are: a trait of residual forms."""
    module, x = variant.instance(), tokens()
    module.sublayers = [Silent(), Silent()]
    module.connection.eval()
    holds_if_declared(variant, "keeps_stream", distance(module(x).numpy(), x.numpy()), 0.0)


@CONNECTION.check
def begins_and_ends(variant: Variant) -> None:
    """With no sublayer between, what begins comes out at the end."""
    connection, x = variant.instance().connection, tokens()
    assert np.array_equal(connection.end(connection.begin(x)).numpy(), x.numpy())


@CONNECTION.check
def state_is_its_own(variant: Variant) -> None:
    """Two sequences under way at once do not disturb each other: nothing is kept outside."""
    module, x, z = variant.instance(), tokens(), tokens(seed=13)
    connection, ctx = module.connection, Context.of(x)
    expected = module(x).numpy()
    mine, other = connection.begin(x), connection.begin(z)
    for sublayer, norm in zip(module.sublayers, module.norms, strict=True):
        mine = connection.apply(mine, sublayer, norm, ctx)
        other = connection.apply(other, sublayer, norm, ctx)
    same(connection.end(mine).numpy(), expected, 0.0, "another sequence under way was heard")


@CONNECTION.check
def keeps_causality(variant: Variant) -> None:
    """With causal sublayers no output depends on a later token."""
    module, x = variant.instance(), tokens()
    before = module(x).numpy()
    for t in range(1, LENGTH):
        after = module(changed(x, np.s_[:, t:])).numpy()
        assert np.array_equal(after[:, :t], before[:, :t]), "a later token was heard"
