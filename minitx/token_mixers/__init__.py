"""Token mixers: who hears whom? Every idea is a ``TokenMixer``, called as ``mixer(x, ctx)``.

Attention is here with its masks, its cache and the small changes that are made to it.
"""

from minitx.context import TokenMixer
from minitx.token_mixers.attention import Attention, MultiHeadAttention
from minitx.token_mixers.cache import Keys, KVCache
from minitx.token_mixers.convolution import ConvolutionModule
from minitx.token_mixers.cross_attention import CrossAttention
from minitx.token_mixers.heads import join_heads, split_heads
from minitx.token_mixers.masks import (
    Causal,
    Mask,
    NotAfter,
    Padding,
    Prefix,
    Same,
    Window,
)
from minitx.token_mixers.modifiers import QKNorm, SinkSoftmax, SoftCap, WeightDropout
from minitx.token_mixers.segment_memory import SegmentMemory

__all__ = [
    "Attention",
    "Causal",
    "ConvolutionModule",
    "CrossAttention",
    "KVCache",
    "Keys",
    "Mask",
    "MultiHeadAttention",
    "NotAfter",
    "Padding",
    "Prefix",
    "QKNorm",
    "Same",
    "SegmentMemory",
    "SinkSoftmax",
    "SoftCap",
    "TokenMixer",
    "WeightDropout",
    "Window",
    "join_heads",
    "split_heads",
]
