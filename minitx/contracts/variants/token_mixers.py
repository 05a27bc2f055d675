"""Token mixers that the battery walks, a line each."""

from typing import Any

from minitx.contracts.battery import SMALL
from minitx.contracts.variants.register import register
from minitx.nn import LayerNorm, RMSNorm
from minitx.positions.rotary import Rotary
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.convolution import ConvolutionModule
from minitx.token_mixers.cross_attention import CrossAttention
from minitx.token_mixers.masks import Causal, Window
from minitx.token_mixers.modifiers import QKNorm, SinkSoftmax, SoftCap
from minitx.token_mixers.segment_memory import SegmentMemory


def _attention(name: str, traits: str, code: str = "", **options: Any) -> None:
    """Softmax attention with these options; a function makes its value from the size."""

    def make(rng, size=SMALL):
        made = {k: v(size) if callable(v) else v for k, v in options.items()}
        return MultiHeadAttention(size.d_model, size.num_heads, rng=rng, **made)

    code = code or "minitx.token_mixers.attention:MultiHeadAttention"
    register("token_mixer", name, code, make, traits, cost=2.0)


_MODIFIERS = "minitx.token_mixers.modifiers:"
_attention("attention", "equivariant")
_attention("causal attention", "causal recurrent", mask=Causal())
_attention("multi-query attention", "equivariant", num_kv_heads=1)
_attention(
    "multi-query, causal, rotary",
    "causal recurrent",
    num_kv_heads=1,
    mask=Causal(),
    position=lambda size: Rotary(size.d_head),
)
_attention("sliding window", "", "minitx.token_mixers.masks:Window", mask=Window(3))
_attention(
    "causal sliding window",
    "causal recurrent",
    "minitx.token_mixers.masks:Window",
    mask=Causal() & Window(3),
)
_attention(
    "normalised queries and keys",
    "equivariant",
    _MODIFIERS + "QKNorm",
    hooks=lambda size: [QKNorm(lambda: RMSNorm(size.d_head))],
)
_attention(
    "soft-capped scores", "equivariant", _MODIFIERS + "SoftCap", hooks=lambda size: [SoftCap(5.0)]
)
_attention(
    "attention sink",
    "equivariant",
    _MODIFIERS + "SinkSoftmax",
    normalise=lambda size: SinkSoftmax(size.num_heads),
)
register(
    "token_mixer",
    "segment memory",
    "minitx.token_mixers.segment_memory:SegmentMemory",
    lambda rng, size=SMALL: SegmentMemory(
        CrossAttention(size.d_model, size.num_heads, mask=Causal(), rng=rng), 64
    ),
    "causal recurrent",
    cost=2.0,
)
register(
    "token_mixer",
    "convolution module",
    "minitx.token_mixers.convolution:ConvolutionModule",
    lambda rng, size=SMALL: ConvolutionModule(
        size.d_model, lambda: LayerNorm(size.d_model), kernel=7, group_size=4, rng=rng
    ),
)
