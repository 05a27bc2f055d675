"""What a channel mixer owes: each token is treated alone, and all alike."""

import numpy as np

from minitx.contracts.battery import (
    LENGTH,
    Variant,
    changed,
    distance,
    holds_if_declared,
    influence,
    same,
    tokens,
)
from minitx.contracts.common import contract

CHANNEL_MIXER = contract("channel_mixer", "zero_keeping")


@CHANNEL_MIXER.check
def tokens_alone(variant: Variant) -> None:
    """A token does not hear the others: exactly, in value and derivative."""
    module, x = variant.instance(), tokens()
    for t in range(LENGTH):
        others = np.arange(LENGTH) != t
        other = module(changed(x, np.s_[:, others])).numpy()
        same(other[:, t], module(x).numpy()[:, t], 1e-12, "another token was heard")
        gradient = influence(module, x, np.s_[t : t + 1])
        assert not gradient[:, others].any(), "the derivative by another token is not zero"


@CHANNEL_MIXER.check
def tokens_alike(variant: Variant) -> None:
    """Shuffled tokens give shuffled outputs."""
    module, x = variant.instance(), tokens()
    order = np.random.default_rng(1).permutation(LENGTH)
    same(module(x[:, order]).numpy(), module(x).numpy()[:, order], 1e-12, "the place matters")


@CHANNEL_MIXER.check
def hears_every_channel(variant: Variant) -> None:
    """Every channel of a token changes something."""
    found = np.abs(influence(variant.instance(), tokens(), np.s_[:])).max((0, 1))
    assert (found > 1e-9).all(), f"channels {np.flatnonzero(found <= 1e-9)} are not heard"


@CHANNEL_MIXER.check
def nonlinear(variant: Variant) -> None:
    """f(x) - f(0) is not linear in x: else depth would gain nothing by it."""
    module, x = variant.instance(), tokens()
    zero = module(x * 0).numpy()
    once, twice = module(x).numpy() - zero, module(x * 2).numpy() - zero
    assert distance(twice, 2 * once) > 1e-3, "it is linear"


@CHANNEL_MIXER.check
def zero_keeping(variant: Variant) -> None:
    """Zero stays zero, with weights as they come: a trait of those without biases."""
    broken = float(np.abs(variant.instance()(tokens() * 0).numpy()).max())
    holds_if_declared(variant, "zero_keeping", broken, 0.0)


@CHANNEL_MIXER.check
def any_number_of_tokens(variant: Variant) -> None:
    """One token, or none."""
    module = variant.instance()
    assert module(tokens(1)).shape == tokens(1).shape
    assert module(tokens(0)).shape == tokens(0).shape
