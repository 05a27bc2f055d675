"""What a token mixer owes: who hears whom, and nothing else."""

import numpy as np

from minitx.autograd import naive_twins
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import (
    BATCH,
    LENGTH,
    NotDeclared,
    Variant,
    changed,
    distance,
    exponent,
    holds_if_declared,
    influence,
    same,
    tokens,
    work,
)
from minitx.contracts.common import contract

TOKEN_MIXER = contract("token_mixer", "causal", "equivariant", "recurrent")


@TOKEN_MIXER.check
def causal(variant: Variant) -> None:
    """No output depends on a later token: exactly, in value and derivative."""
    module, x = variant.instance(), tokens()
    before, worst = module(x).numpy(), 0.0
    for t in range(1, LENGTH):
        after = module(changed(x, np.s_[:, t:])).numpy()
        worst = max(worst, float(np.abs(after - before)[:, :t].max()))
        worst = max(worst, float(np.abs(influence(module, x, np.s_[:t])[:, t:]).max()))
    holds_if_declared(variant, "causal", worst, 0.0)


@TOKEN_MIXER.check
def hears_others(variant: Variant) -> None:
    """The last token hears the first: else it mixes nothing."""
    gradient = influence(variant.instance(), tokens(length=3), np.s_[2:])
    assert np.abs(gradient[:, 0]).max() > 1e-6, "the last token does not hear the first"


@TOKEN_MIXER.check
def padding_never_leaks(variant: Variant) -> None:
    """What stands in padding, before or behind a sequence, changes nothing and stays finite."""
    module, x = variant.instance(), tokens()
    for there in (np.arange(LENGTH) < 4, np.arange(LENGTH) >= 3):
        valid = np.stack([there, np.ones(LENGTH, bool)])
        ctx = Context.of(x, valid=valid)
        first = module(x, ctx).numpy()
        other = module(changed(x, ~valid), ctx).numpy()
        assert np.isfinite(other).all(), "padding makes numbers that are not finite"
        same(other[valid], first[valid], 1e-12, "padding is heard")
        alone = Context(coords=ctx.coords[:, there])
        short = module(x[:1, there], alone).numpy()
        same(
            first[:1, there], short, 1e-10, "a padded sequence differs from itself without padding"
        )


@TOKEN_MIXER.check
def equivariant(variant: Variant) -> None:
    """Shuffled tokens give shuffled outputs: the order means nothing."""
    module, x = variant.instance(), tokens()
    order = np.random.default_rng(1).permutation(LENGTH)
    broken = distance(module(x[:, order]).numpy(), module(x).numpy()[:, order])
    holds_if_declared(variant, "equivariant", broken, 1e-10)


@TOKEN_MIXER.check
def step_by_step_is_parallel(variant: Variant) -> None:
    """From its state, token by token or in chunks, it gives what one call gives."""
    module, x = variant.instance(), tokens()
    if "recurrent" not in variant.traits:
        try:
            module.step(x, module.init_state(BATCH), Context.of(x))
        except (TypeError, NotImplementedError):
            raise NotDeclared from None
        raise AssertionError(f"{variant.name} does not declare recurrent, but takes a step")
    whole, ctx = module(x).numpy(), Context.of(x)
    for chunks in ([1] * LENGTH, [3, 1, 3], [LENGTH]):
        state, start, parts = module.init_state(BATCH), 0, []
        for size in chunks:
            here = ctx.replace(coords=ctx.coords[:, start : start + size])
            old, piece = state, x[:, start : start + size]
            y, state = module.step(piece, old, here)
            again, _ = module.step(piece, old, here)
            assert np.array_equal(y.numpy(), again.numpy()), "a step changes the state it is given"
            parts.append(y.numpy())
            start += size
        same(np.concatenate(parts, axis=1), whole, 1e-10, f"steps of {chunks}")


@TOKEN_MIXER.check
def any_length(variant: Variant) -> None:
    """Length 1, and lengths off any block size, keep the shape and stay finite."""
    module = variant.instance(dtype=np.float32)
    for length in (1, 2, 31, 65, 130):
        y = module(tokens(length, dtype=np.float32))
        assert y.shape[1] == length, f"length {length} became {y.shape[1]}"
        assert np.isfinite(y.numpy()).all(), f"length {length} gives numbers that are not finite"


@TOKEN_MIXER.check
def nobody_there(variant: Variant) -> None:
    """A row of padding only gives finite numbers, and leaves the other rows as they are."""
    module, x = variant.instance(), tokens()
    valid = np.stack([np.zeros(LENGTH, bool), np.ones(LENGTH, bool)])
    with np.errstate(all="ignore"):
        y = module(x, Context.of(x, valid=valid)).numpy()
    assert np.isfinite(y).all(), "a row of padding only gives numbers that are not finite"
    same(y[1:], module(x[1:]).numpy(), 1e-12, "a row of padding is heard by another row")


@TOKEN_MIXER.check
def cost(variant: Variant) -> None:
    """The work grows with the length as declared: counted in the graph of the naive twin."""
    module, costs, lengths = variant.instance(dtype=np.float32), [], (512, 1024)
    for length in lengths:
        x = tokens(length, batch=1, dtype=np.float32)
        x = Tensor(x, requires_grad=True)
        with naive_twins():
            costs.append(work(module(x)))
    found = exponent(costs, lengths)
    assert abs(found - variant.cost) < 0.2, (
        f"{variant.name} declares the exponent {variant.cost:g}, counted {found:.2f}"
    )
