"""The battery can fail: each deliberate mistake is caught by the check that is made for it."""

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import PreNorm, Residual, Stream
from minitx.context import Context, TokenMixer
from minitx.contracts import CONTRACTS, Variant, run_check
from minitx.contracts.battery import D_MODEL, NUM_HEADS
from minitx.contracts.connection import joined
from minitx.contracts.position import Placed
from minitx.depth.stack import Stack
from minitx.positions.hooks import Hooks
from minitx.positions.relative import ALiBi
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal


def verdicts(contract, make, traits="", cost=1.0):
    variant = Variant("mutant", contract, make, frozenset(traits.split()), cost)
    results = [run_check(variant, check) for check in CONTRACTS[contract].checks]
    return {result.check: result for result in results}


def caught(contract, make, check, message, traits="", cost=1.0):
    found = verdicts(contract, make, traits, cost)[check]
    assert found.result == "fail", f"{check} says {found.result}"
    assert message in found.message, found.message


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


# --------------------------------------------------------------------------------- channel mixers


class Neighbourly(MLP):
    def forward(self, x, ctx=None):
        return super().forward(x) + 1e-9 * F.mean(x, 1, keepdims=True)


class Counts(MLP):
    def forward(self, x, ctx=None):
        places = np.arange(x.shape[1])[:, None].astype(x.dtype)
        return super().forward(x) + 1e-6 * wrap(places, None)


class HalfDeaf(MLP):
    def forward(self, x, ctx=None):
        keep = (np.arange(D_MODEL) > 0).astype(x.dtype)
        return super().forward(x * wrap(keep, None))


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (Neighbourly, "tokens_alone", "another token was heard"),
        (Counts, "tokens_alike", "the place matters"),
        (HalfDeaf, "hears_every_channel", "channels [0] are not heard"),
    ],
)
def test_channel_mixers(kind, check, message):
    caught("channel_mixer", lambda rng: kind(D_MODEL, 20, rng=rng), check, message)


def test_linear_channel_mixers():
    caught(
        "channel_mixer", lambda rng: MLP(D_MODEL, 20, lambda x: x, rng=rng), "nonlinear", "linear"
    )
    caught("channel_mixer", lambda rng: MLP(D_MODEL, 20, rng=rng), "zero_keeping", "declares zero",
           "zero_keeping")  # fmt: skip


# -------------------------------------------------------------------------------------- positions


class Arange(ALiBi):
    """Takes the place in the array for the coordinate."""

    def bias(self, coords_q, coords_k):
        shape = np.broadcast_shapes(coords_k.shape)
        places = np.arange(shape[1])[None, :, None] + 0 * coords_k
        return super().bias(places[:, -coords_q.shape[1] :], places)


class Absolute(Hooks):
    """Says that it is relative, and is not."""

    def bias(self, coords_q, coords_k):
        return wrap(-0.1 * coords_k[:, None, None, :, 0].astype(np.float64) ** 2, None)


@pytest.mark.parametrize(
    ("make", "check", "message", "traits"),
    [
        (lambda: Arange(NUM_HEADS), "goes_by_coordinates", "the place in the array", "relative"),
        (Absolute, "relative", "declares relative, but is", "relative endless"),
        (lambda: ALiBi(NUM_HEADS), "relative", "does not declare relative", "endless"),
        (lambda: ALiBi(NUM_HEADS), "endless", "is endless and should say so", "relative"),
        (Hooks, "tells_the_order", "does not tell the order", "relative endless"),
    ],
)
def test_positions(make, check, message, traits):
    caught("position", lambda rng: Placed(make(), rng=rng), check, message, traits)


# ------------------------------------------------------------------------- connections and depths


class Remembers(PreNorm):
    """Keeps the stream on itself, where another sequence overwrites it."""

    def begin(self, x):
        self.kept = x
        return Stream(x)

    def apply(self, state, sublayer, norm, ctx):
        new = super().apply(state, sublayer, norm, ctx)
        return Stream(new.x + 0.1 * self.kept, new.passed)


class CallsTwice(PreNorm):
    def apply(self, state, sublayer, norm, ctx):
        return super().apply(super().apply(state, sublayer, norm, ctx), sublayer, norm, ctx)


class Skips(PreNorm):
    def apply(self, state, sublayer, norm, ctx):
        if state.passed == 0:
            return Stream(state.x, 1)
        return super().apply(state, sublayer, norm, ctx)


class Shifts(Residual):
    def begin(self, x):
        return Stream(x * 1.5)


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (Remembers, "state_is_its_own", "another sequence under way"),
        (CallsTwice, "once_and_in_order", "got ['first', 'first'"),
        (Skips, "every_sublayer_is_heard", "sublayers.0.qkv.weight"),
        (Shifts, "begins_and_ends", ""),
        (Shifts, "keeps_stream", "declares keeps_stream"),
    ],
)
def test_connections(kind, check, message):
    caught("connection", lambda rng: joined(kind(), rng), check, message, "keeps_stream")


class LosesTheContext(Stack):
    def forward(self, x, ctx=None):
        for block in self.blocks:
            x = block(x)
        return x


class StopsEarly(Stack):
    def forward(self, x, ctx=None):
        return self.blocks[0](x, Context.of(x) if ctx is None else ctx)


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (LosesTheContext, "hands_the_context_down", "padding is heard"),
        (StopsEarly, "every_block_is_heard", "blocks.1"),
    ],
)
def test_depths(kind, check, message):
    def make(rng):
        return kind([joined(PreNorm(), rng), joined(PreNorm(), rng)])

    caught("depth", make, check, message)


def test_a_block_of_future_leaks_is_caught_as_depth():
    def make(rng):
        mixer = LeaksTheFuture(rng)
        return Stack([Block(mixer, norm=lambda: nn.RMSNorm(D_MODEL))])

    caught("depth", make, "keeps_causality", "a later token was heard")


def test_a_mistake_in_a_fast_form_is_caught():
    from minitx.autograd.primitive import TABLE, fused

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


def test_an_exception_is_a_failure_with_its_trace():
    def broken(rng):
        raise RuntimeError("no such thing")

    found = verdicts("depth", broken)["gradient"]
    assert found.result == "fail"
    assert "RuntimeError: no such thing" in found.message
    assert "Traceback" in found.message
