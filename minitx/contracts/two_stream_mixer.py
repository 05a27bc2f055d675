"""What a mixer of two streams owes: the tokens of x hear a source, row by row."""

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Source
from minitx.contracts.battery import (
    BATCH,
    D_MODEL,
    LENGTH,
    Variant,
    changed,
    distance,
    holds_if_declared,
    same,
    tokens,
)
from minitx.contracts.common import contract

TWO_STREAM_MIXER = contract("two_stream_mixer", "order_free")
SOURCE_LENGTH = 5


class Reading(nn.Module):
    """A mixer with a source of its own: the same for every row, unless another is given."""

    def __init__(self, mixer: nn.Module):
        self.mixer = mixer
        self.held = nn.Buffer(tokens(SOURCE_LENGTH, 1, seed=17).numpy())

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        shape = (x.shape[0], SOURCE_LENGTH, D_MODEL)
        return self.read(x, F.broadcast_to(self.held, shape), ctx)

    def read(
        self, x: Tensor, source: Tensor, ctx: Context | None = None, valid: np.ndarray | None = None
    ) -> Tensor:
        """x hears ``source`` (B, S, D), of which ``valid`` (B, S) says what is there."""
        ctx = Context.of(x) if ctx is None else ctx
        coords = Context.of(source).coords
        return self.mixer(x, ctx.replace(source=Source(source, coords, valid)))


def two_sources() -> Tensor:
    """A source for each row, (B, S, D)."""
    return tokens(SOURCE_LENGTH, seed=19)


@TWO_STREAM_MIXER.check
def hears_the_source(variant: Variant) -> None:
    """Every token of the source changes every output."""
    module, x, source = variant.instance(), tokens(), two_sources()
    before = module.read(x, source).numpy()
    for s in range(SOURCE_LENGTH):
        after = module.read(x, changed(source, np.s_[:, s])).numpy()
        assert np.abs(after - before).max(-1).min() > 1e-9, f"token {s} of the source is not heard"


@TWO_STREAM_MIXER.check
def each_row_has_its_source(variant: Variant) -> None:
    """The source of one row is not heard in another."""
    module, x, source = variant.instance(), tokens(), two_sources()
    before = module.read(x, source).numpy()
    after = module.read(x, changed(source, np.s_[1:])).numpy()
    same(after[:1], before[:1], 1e-12, "the source of another row is heard")


@TWO_STREAM_MIXER.check
def padding_of_the_source(variant: Variant) -> None:
    """What stands in the source's padding changes nothing; a source of padding gives no NaN."""
    module, x, source = variant.instance(), tokens(), two_sources()
    valid = np.broadcast_to(np.arange(SOURCE_LENGTH) < 3, (BATCH, SOURCE_LENGTH))
    first = module.read(x, source, valid=valid).numpy()
    other = module.read(x, changed(source, ~valid), valid=valid).numpy()
    same(other, first, 1e-12, "padding of the source is heard")
    same(module.read(x, source[:, :3]).numpy(), first, 1e-10, "padding makes a difference")
    with np.errstate(all="ignore"):
        nothing = module.read(x, source, valid=np.zeros_like(valid)).numpy()
    assert np.isfinite(nothing).all(), "a source of padding only gives numbers that are not finite"


@TWO_STREAM_MIXER.check
def order_free(variant: Variant) -> None:
    """The source in another order says the same: a trait of mixers without positions."""
    module, x, source = variant.instance(), tokens(), two_sources()
    order = np.random.default_rng(1).permutation(SOURCE_LENGTH)
    broken = distance(module.read(x, source[:, order]).numpy(), module.read(x, source).numpy())
    holds_if_declared(variant, "order_free", broken, 1e-10)


@TWO_STREAM_MIXER.check
def hears_only_the_source(variant: Variant) -> None:
    """Tokens of x do not hear one another: that is the work of another mixer."""
    module, x = variant.instance(), tokens()
    others = np.arange(LENGTH) != 2
    other = module(changed(x, np.s_[:, others])).numpy()
    same(other[:, 2], module(x).numpy()[:, 2], 1e-12, "another token of x is heard")


@TWO_STREAM_MIXER.check
def step_by_step_is_parallel(variant: Variant) -> None:
    """Token by token, the source projected once, it gives what one call gives."""
    module, x, source = variant.instance(), tokens(), two_sources()
    whole, ctx = module.read(x, source).numpy(), Context.of(x)
    ctx = ctx.replace(source=Source(source, Context.of(source).coords))
    state, parts = module.mixer.init_state(BATCH), []
    for t in range(LENGTH):
        here = ctx.replace(coords=ctx.coords[:, t : t + 1])
        y, state = module.mixer.step(x[:, t : t + 1], state, here)
        parts.append(y.numpy())
    same(np.concatenate(parts, axis=1), whole, 1e-10, "steps of one token")
