"""The battery can fail: a mistake in any other slot is caught by its check."""

from dataclasses import replace

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import PreNorm, Residual, Stream
from minitx.context import Context, Source
from minitx.contracts.battery import D_MODEL, NUM_HEADS
from minitx.contracts.connection import joined
from minitx.contracts.head import Passing, Scoring
from minitx.contracts.position import Placed
from minitx.contracts.two_stream_mixer import Reading
from minitx.contracts.variants.constructions import TiltedMean
from minitx.contracts.variants.objectives import HiddenTokens
from minitx.depth.stack import Stack
from minitx.models.pooling import mean_pool
from minitx.models.scoring import BiEncoder
from minitx.positions.hooks import Hooks
from minitx.positions.relative import ALiBi
from minitx.token_mixers.cross_attention import CrossAttention
from tests.contracts.catching import caught, verdicts
from tests.contracts.test_token_mixer_mutants import LeaksTheFuture

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


def test_an_exception_is_a_failure_with_its_trace():
    def broken(rng):
        raise RuntimeError("no such thing")

    found = verdicts("depth", broken)["gradient"]
    assert found.result == "fail"
    assert "RuntimeError: no such thing" in found.message
    assert "Traceback" in found.message


# ------------------------------------------------------------------------ heads and two streams


class Competes(BiEncoder):
    """Scores are shares among the candidates."""

    def score(self, contexts, candidates):
        return F.softmax(super().score(contexts, candidates))


class Pads(BiEncoder):
    def contexts(self, ids, valid=None):
        return super().contexts(ids)


class Shrugs(BiEncoder):
    def score(self, contexts, candidates):
        return super().score(contexts * 0, candidates)


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (Competes, "candidates_alone", "another candidate was heard"),
        (Pads, "padding_never_leaks", "padding is heard"),
        (Shrugs, "both_sides_matter", "the context is not heard"),
        (Shrugs, "every_weight_is_heard", "context_encoder"),
    ],
)
def test_heads(kind, check, message):
    def make(rng):
        return Scoring(kind(Passing(rng), Passing(rng), mean_pool))

    caught("head", make, check, message)


class Gossips(CrossAttention):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) + 1e-9 * F.mean(x, 1, keepdims=True)


class SharesSources(CrossAttention):
    def forward(self, x, ctx=None):
        source = ctx.source
        blurred = source.tokens + 1e-6 * F.mean(source.tokens, 0, keepdims=True)
        return super().forward(x, ctx.replace(source=replace(source, tokens=blurred)))


class ReadsPadding(CrossAttention):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx.replace(source=replace(ctx.source, valid=None)))


class ReadsTheFirst(CrossAttention):
    def forward(self, x, ctx=None):
        source = ctx.source
        first = Source(source.tokens[:, :1], source.coords[:, :1])
        return super().forward(x, ctx.replace(source=first))


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (Gossips, "hears_only_the_source", "another token of x is heard"),
        (SharesSources, "each_row_has_its_source", "the source of another row is heard"),
        (ReadsPadding, "padding_of_the_source", "padding of the source is heard"),
        (ReadsTheFirst, "hears_the_source", "token 1 of the source is not heard"),
        (ReadsTheFirst, "order_free", "declares order_free"),
    ],
)
def test_two_stream_mixers(kind, check, message):
    def make(rng):
        return Reading(kind(D_MODEL, NUM_HEADS, rng=rng))

    caught("two_stream_mixer", make, check, message, "order_free")


# ------------------------------------------------------------------------------------- objectives


class ForEachRow(HiddenTokens):
    def loss(self, x, truth):
        return F.expand_dims(super().loss(x, truth), 0)


class Sums(HiddenTokens):
    def loss(self, x, truth):
        return super().loss(x, truth) * x.shape[0]


class FirstRow(HiddenTokens):
    def loss(self, x, truth):
        return super().loss(x[:1], truth[:1])


class Deaf(HiddenTokens):
    def loss(self, x, truth):
        return super().loss(x, truth * 0)


class Idle(HiddenTokens):
    def __init__(self, rng):
        super().__init__(rng)
        self.idle = nn.Parameter(rng.standard_normal(3))

    def loss(self, x, truth):
        return super().loss(x, truth) + 0 * F.sum(self.idle)


class Unreachable(HiddenTokens):
    def loss(self, x, truth):
        return super().loss(x, truth) + 10


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (ForEachRow, "one_number", "got the shape (1,)"),
        (Sums, "repeated_rows", "of the batch twice over"),
        (Sums, "mean_of_rows", "declares mean_of_rows"),
        (FirstRow, "rows_in_any_order", "the order of the rows matters"),
        (Deaf, "truth_is_heard", "two truths have the same loss"),
        (Idle, "every_weight_is_heard", "['idle']"),
        (Unreachable, "can_be_learnt", "a hundred steps"),
    ],
)
def test_objectives(kind, check, message):
    caught("objective", kind, check, message, "mean_of_rows")


# ---------------------------------------------------------------------------------- constructions


class AlmostTilted(TiltedMean):
    def forward(self, x, ctx=None):
        return super().forward(x, ctx) * (1 + 1e-8)


class Constant(TiltedMean):
    def forward(self, x, ctx=None):
        return super().forward(x * 0, ctx)

    def oracle(self, x):
        return super().oracle(x * 0)


class OffTheBlock(TiltedMean):
    def forward(self, x, ctx=None):
        return super().forward(x[:, :64], ctx)


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        (AlmostTilted, "equals_its_oracle", "the oracle, draw 0"),
        (Constant, "says_something", "hardly changes"),
        (OffTheBlock, "holds_at_any_length", "the oracle at length 65"),
    ],
)
def test_constructions(kind, check, message):
    caught("construction", kind, check, message)
