"""What a depth owes: its blocks run as often and in the order that it says."""

import numpy as np

from minitx.autograd.transforms import vjp
from minitx.context import Context
from minitx.contracts.battery import (
    LENGTH,
    Variant,
    as_function,
    changed,
    same,
    tokens,
)
from minitx.contracts.common import contract

DEPTH = contract("depth")


@DEPTH.check
def every_block_is_heard(variant: Variant) -> None:
    """Every parameter changes the output."""
    function, weights = as_function(variant.instance())
    _, pull = vjp(function, weights, tokens())
    held, _ = pull(tokens(seed=11))
    silent = [name for name, g in held.items() if not np.abs(g.numpy()).max() > 1e-9]
    assert not silent, f"these parameters change nothing: {silent}"


@DEPTH.check
def keeps_causality(variant: Variant) -> None:
    """With causal blocks no output depends on a later token."""
    module, x = variant.instance(), tokens()
    before = module(x).numpy()
    for t in range(1, LENGTH):
        after = module(changed(x, np.s_[:, t:])).numpy()
        assert np.array_equal(after[:, :t], before[:, :t]), "a later token was heard"


@DEPTH.check
def hands_the_context_down(variant: Variant) -> None:
    """Every block gets the Context: padding does not leak at any depth."""
    module, x = variant.instance(), tokens()
    valid = np.broadcast_to(np.arange(LENGTH) >= 3, x.shape[:2])
    ctx = Context.of(x, valid=valid)
    first, other = module(x, ctx).numpy(), module(changed(x, ~valid), ctx).numpy()
    same(other[valid], first[valid], 1e-12, "padding is heard")


@DEPTH.check
def makes_its_own_context(variant: Variant) -> None:
    """Without a Context the tokens are at 0, 1, 2, ..."""
    module, x = variant.instance(), tokens()
    same(module(x).numpy(), module(x, Context.of(x)).numpy(), 0.0, "the default Context")
