"""What a position owes: attention that has it knows where its tokens are, by their coordinates."""

from typing import Any

import numpy as np

from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import (
    D_MODEL,
    LENGTH,
    NUM_HEADS,
    NotDeclared,
    Variant,
    distance,
    holds_if_declared,
    same,
    tokens,
)
from minitx.contracts.common import contract
from minitx.nn.module import Module
from minitx.positions.hooks import Hooks
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal

POSITION = contract("position", "blind", "relative", "endless")


class Placed(Module):
    """Attention with a position, which is how a position can be seen at all."""

    def __init__(self, position: Hooks, mask: Any = None, rng: Any = None):
        self.position = position
        self.attention = MultiHeadAttention(
            D_MODEL, NUM_HEADS, position=position, mask=mask, rng=rng
        )

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        return self.attention(self.position.input(x, ctx.coords), ctx)


def moved(module: Module, x: Tensor, coords: Any) -> np.ndarray:
    """The output with tokens at ``coords`` (T,)."""
    return module(x, Context(coords=np.asarray(coords)[None, :, None])).numpy()


@POSITION.check
def tells_the_order(variant: Variant) -> None:
    """Shuffled tokens do not give shuffled outputs (a trait of having none is that they do)."""
    module, x = variant.instance(), tokens()
    order = np.random.default_rng(1).permutation(LENGTH)
    broken = distance(module(x[:, order]).numpy(), module(x).numpy()[:, order])
    if "blind" in variant.traits:
        assert broken <= 1e-10, f"{variant.name} declares that it is blind to order, and is not"
        raise NotDeclared
    assert broken > 1e-3, f"{variant.name} does not tell the order: only {broken:.2g} of change"


@POSITION.check
def goes_by_coordinates(variant: Variant) -> None:
    """Tokens shuffled together with their coordinates give shuffled outputs."""
    module, x = variant.instance(), tokens()
    order = np.random.default_rng(1).permutation(LENGTH)
    expected = moved(module, x, np.arange(LENGTH))[:, order]
    same(moved(module, x[:, order], order), expected, 1e-10, "the place in the array matters")


@POSITION.check
def relative(variant: Variant) -> None:
    """All tokens moved on by five places: a relative position does not notice."""
    module, x = variant.instance(), tokens()
    here = np.arange(LENGTH)
    broken = distance(moved(module, x, here + 5), moved(module, x, here))
    holds_if_declared(variant, "relative", broken, 1e-9)


@POSITION.check
def endless(variant: Variant) -> None:
    """It works at any distance, or else says with a ValueError how far it goes."""
    module, x = variant.instance(), tokens()
    try:
        y = moved(module, x, np.arange(LENGTH) * 1000)
    except ValueError:
        assert "endless" not in variant.traits, f"{variant.name} declares that it is endless"
        raise NotDeclared from None
    assert np.isfinite(y).all(), "far away its numbers are not finite"
    assert "endless" in variant.traits, f"{variant.name} is endless and should say so"


@POSITION.check
def keeps_causality(variant: Variant) -> None:
    """Under a causal mask no output depends on a later token."""
    module, x = variant.instance(), tokens()
    module.attention.mask = Causal()
    before = module(x).numpy()
    after = np.concatenate([x.numpy()[:, :4], tokens(seed=12).numpy()[:, 4:]], axis=1)
    after = module(Tensor(after, dtype=np.float64)).numpy()
    assert np.array_equal(after[:, :4], before[:, :4]), "a later token was heard"


@POSITION.check
def step_by_step_is_parallel(variant: Variant) -> None:
    """With a cache, token by token, it gives what one call gives."""
    module, x = variant.instance(), tokens()
    module.attention.mask = Causal()
    whole, ctx, state, parts = module(x).numpy(), Context.of(x), None, []
    state = module.attention.init_state(x.shape[0])
    for t in range(LENGTH):
        here = ctx.replace(coords=ctx.coords[:, t : t + 1])
        placed = module.position.input(x[:, t : t + 1], here.coords)
        y, state = module.attention.step(placed, state, here)
        parts.append(y.numpy())
    same(np.concatenate(parts, axis=1), whole, 1e-10, "steps of one token")


@POSITION.check
def padding_never_leaks(variant: Variant) -> None:
    """What stands in padding before a sequence changes nothing."""
    module, x = variant.instance(), tokens()
    valid = np.broadcast_to(np.arange(LENGTH) >= 3, x.shape[:2])
    first = module(x, Context.of(x, valid=valid)).numpy()
    other = np.where(valid[..., None], x.numpy(), 100.0)
    other = module(Tensor(other, dtype=np.float64), Context.of(x, valid=valid)).numpy()
    same(other[valid], first[valid], 1e-12, "padding is heard")
