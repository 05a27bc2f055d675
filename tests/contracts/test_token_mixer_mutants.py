"""The battery can fail: a mistake in a token mixer is caught by its check."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd.tensor import wrap
from minitx.context import Context, TokenMixer
from minitx.contracts.battery import D_MODEL, NUM_HEADS
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal
from tests.contracts.catching import caught, verdicts

# ---------------------------------------------------------------------------------- token mixers


class Mutant(TokenMixer):
    """Causal attention; each mutant below does one thing to it."""

    mask = Causal()

    def __init__(self, rng):
        self.inner = MultiHeadAttention(D_MODEL, NUM_HEADS, mask=self.mask, rng=rng)

    def forward(self, x, ctx=None):
        return self.inner(x, Context.of(x) if ctx is None else ctx)

    def init_state(self, batch):
        return self.inner.init_state(batch)

    def step(self, x, state, ctx):
        return self.inner.step(x, state, ctx)


class LeaksTheFuture(Mutant):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) + 1e-9 * F.mean(x, 1, keepdims=True)


class MixesRows(Mutant):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) + 1e-6 * F.mean(x, 0, keepdims=True)


class ForgetsPadding(Mutant):
    def forward(self, x, ctx=None):
        return self.inner(x, Context.of(x))


class NansOnEmptyRows(Mutant):
    def forward(self, x, ctx=None):
        y = super().forward(x, ctx)
        if ctx is None or ctx.valid is None:
            return y
        return y / wrap(np.sign(ctx.valid.sum(1))[:, None, None].astype(y.dtype), None)


class StepsWrongly(Mutant):
    def step(self, x, state, ctx):
        y, state = self.inner.step(x, state, ctx)
        return y * 1.000001, state


class ChangesItsState(Mutant):
    def init_state(self, batch):
        return [self.inner.init_state(batch)]

    def step(self, x, state, ctx):
        y, state[0] = self.inner.step(x, state[0], ctx)
        return y, state


class Doubles(Mutant):
    def forward(self, x, ctx=None):
        return F.astype(super().forward(x, ctx), np.float64)


class CutsTheGradient(Mutant):
    def forward(self, x, ctx=None):
        return super().forward(F.stop_gradient(x), ctx) + x


class Overflows(Mutant):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) + F.log(F.exp(x))


class HasNoWeightState(Mutant):
    def __init__(self, rng):
        super().__init__(rng)
        self.hidden = rng.standard_normal(D_MODEL)

    def forward(self, x, ctx=None):
        return super().forward(x, ctx) * wrap(self.hidden.astype(x.dtype), None)


class Random(Mutant):
    def __init__(self, rng):
        super().__init__(rng)
        self.rng = rng

    def forward(self, x, ctx=None):
        return super().forward(x, ctx) * float(self.rng.random())


class LeavesItsDevice(Mutant):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) * wrap(np.ones(D_MODEL, np.float32), None)


class Deaf(Mutant):
    def forward(self, x, ctx=None):
        return x * 2


@pytest.mark.parametrize(
    ("make", "check", "message"),
    [
        (LeaksTheFuture, "causal", "declares causal, but is"),
        (MixesRows, "batch_rows_independent", "another row of the batch was heard"),
        (ForgetsPadding, "padding_never_leaks", "padding is heard"),
        (NansOnEmptyRows, "nobody_there", "not finite"),
        (StepsWrongly, "step_by_step_is_parallel", "steps of"),
        (ChangesItsState, "step_by_step_is_parallel", "a step changes the state"),
        (Doubles, "shape_and_dtype", "expected float32, got float64"),
        (CutsTheGradient, "gradient", "jvp"),
        (Overflows, "large_inputs", "not finite"),
        (HasNoWeightState, "save_and_load", "not the whole state"),
        (Random, "same_seed_same_bits", "a second call gives another result"),
        (LeavesItsDevice, "stays_on_its_device", ""),
        (Deaf, "hears_others", "does not hear the first"),
    ],
)
def test_token_mixers(make, check, message):
    caught("token_mixer", make, check, message, "causal recurrent", cost=2.0)


def test_the_mutants_are_otherwise_sound():
    found = verdicts("token_mixer", Mutant, "causal recurrent", cost=2.0)
    assert {result.result for result in found.values()} == {"pass", "none"}
    leaks = verdicts("token_mixer", LeaksTheFuture, "causal recurrent", cost=2.0)
    failed = {name for name, result in leaks.items() if result.result == "fail"}
    assert failed >= {"causal", "step_by_step_is_parallel", "padding_never_leaks"}
    assert "batch_rows_independent" not in failed


def test_a_trait_that_is_there_must_be_declared():
    both = "causal recurrent"
    caught("token_mixer", Mutant, "causal", "does not declare causal, and nothing", "recurrent")
    caught("token_mixer", Mutant, "step_by_step_is_parallel", "but takes a step", "causal")
    caught("token_mixer", Mutant, "equivariant", "declares equivariant", both + " equivariant")
    caught("token_mixer", Mutant, "cost", "declares the exponent 1, counted 1.9", both)

    def blind(rng):
        return MultiHeadAttention(D_MODEL, NUM_HEADS, rng=rng)

    caught("token_mixer", blind, "equivariant", "does not declare equivariant, and nothing")
    caught("token_mixer", blind, "causal", "declares causal", "causal")


def test_a_mistake_in_a_fast_form_is_caught():
    from minitx.autograd.primitive import fused
    from minitx.autograd.spaces import TABLE

    if "battery_mutant" not in TABLE:
        fused(
            "battery_mutant",
            lambda xp, x: (x * 1.0001, None),
            lambda xp, g, y, residual, x: [g],
            lambda x: x * 1.0,
        )

    class Fast(Mutant):
        def forward(self, x, ctx=None):
            return TABLE["battery_mutant"](super().forward(x, ctx))

    try:
        caught("token_mixer", Fast, "naive_is_fast", "fast and naive at length 1", "causal")
    finally:
        del TABLE["battery_mutant"]
