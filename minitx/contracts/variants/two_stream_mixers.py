"""Mixers of two streams that the battery walks, a line each."""

from collections.abc import Callable

from minitx.contracts.battery import D_HEAD, D_MODEL, NUM_HEADS
from minitx.contracts.two_stream_mixer import Reading
from minitx.contracts.variants.register import register
from minitx.positions.rotary import Rotary
from minitx.token_mixers.cross_attention import CrossAttention


def _cross(name: str, traits: str, make: Callable) -> None:
    code = "minitx.token_mixers.cross_attention:CrossAttention"
    register("two_stream_mixer", name, code, lambda rng: Reading(make(rng)), traits)


_cross("cross-attention", "order_free", lambda rng: CrossAttention(D_MODEL, NUM_HEADS, rng=rng))
_cross(
    "cross-attention, one key head",
    "order_free",
    lambda rng: CrossAttention(D_MODEL, NUM_HEADS, 1, rng=rng),
)
_cross(
    "cross-attention, rotary",
    "",
    lambda rng: CrossAttention(D_MODEL, NUM_HEADS, position=Rotary(D_HEAD), rng=rng),
)
