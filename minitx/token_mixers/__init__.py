"""Token mixers: who hears whom? Every idea is a ``TokenMixer``, called as ``mixer(x, ctx)``.

Attention is here with its masks, its cache and the small changes that are made to it; and attention
without a softmax, in its recurrent and its other forms.
"""

from minitx.context import TokenMixer
from minitx.token_mixers.attention import Attention, MultiHeadAttention
from minitx.token_mixers.cache import Keys, KVCache
from minitx.token_mixers.class_attention import FirstToken
from minitx.token_mixers.convolution import ConvolutionModule
from minitx.token_mixers.cross_attention import CrossAttention
from minitx.token_mixers.cross_covariance import CrossCovarianceAttention
from minitx.token_mixers.decays import FixedDecay, GatedDecay
from minitx.token_mixers.delta_rule import DeltaNet, continued_delta_rule
from minitx.token_mixers.feature_maps import LearnedReLU, elu_plus_one
from minitx.token_mixers.galerkin import FourierAttention, GalerkinAttention
from minitx.token_mixers.heads import join_heads, split_heads
from minitx.token_mixers.linear_attention import (
    LinearAttention,
    Readout,
    WeightedMean,
    continued,
)
from minitx.token_mixers.local_patches import LocalPatchInteraction
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
from minitx.token_mixers.norm_attention import Blocks, DiagAttention, NormAttention, Normed
from minitx.token_mixers.segment_memory import SegmentMemory
from minitx.token_mixers.short_convolution import ShortConvolution
from minitx.token_mixers.simplified_linear import SimplifiedLinearAttention
from minitx.token_mixers.supra import SUPRA, linearised
from minitx.token_mixers.switch_head import SwitchHead

__all__ = [
    "Attention",
    "Blocks",
    "Causal",
    "ConvolutionModule",
    "CrossAttention",
    "CrossCovarianceAttention",
    "DeltaNet",
    "DiagAttention",
    "FirstToken",
    "FixedDecay",
    "FourierAttention",
    "GalerkinAttention",
    "GatedDecay",
    "KVCache",
    "Keys",
    "LearnedReLU",
    "LinearAttention",
    "LocalPatchInteraction",
    "Mask",
    "MultiHeadAttention",
    "NormAttention",
    "Normed",
    "NotAfter",
    "Padding",
    "Prefix",
    "QKNorm",
    "Readout",
    "SUPRA",
    "Same",
    "SegmentMemory",
    "SwitchHead",
    "ShortConvolution",
    "SimplifiedLinearAttention",
    "SinkSoftmax",
    "SoftCap",
    "TokenMixer",
    "WeightDropout",
    "WeightedMean",
    "Window",
    "continued",
    "continued_delta_rule",
    "elu_plus_one",
    "join_heads",
    "linearised",
    "split_heads",
]
