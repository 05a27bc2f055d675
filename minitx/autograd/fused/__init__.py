"""Fused primitives: several steps as one node, each with the naive composition that it equals.

They exist for speed. The naive twin beside each is its oracle, its explanation, and its route to
forward mode and to second derivatives; under ``record()`` it is what runs. On a GPU kernels stand
before most of them (``device``).
"""

from minitx.autograd.fused import device  # noqa: F401  (opens the doors when a GPU is in use)
from minitx.autograd.fused.activations import (
    gelu,
    glu,
    naive_gelu_erf,
    naive_gelu_tanh,
    naive_silu,
    naive_swiglu,
    silu,
    swiglu,
)
from minitx.autograd.fused.attention import attention, naive_attention
from minitx.autograd.fused.cross_entropy import cross_entropy, naive_cross_entropy
from minitx.autograd.fused.delta_rule import (
    delta_rule,
    delta_step,
    naive_delta_rule,
    recurrent_delta_rule,
)
from minitx.autograd.fused.linear import linear, naive_linear
from minitx.autograd.fused.linear_attention import (
    linear_attention,
    naive_linear_attention,
    quadratic_linear_attention,
    recurrent_linear_attention,
)
from minitx.autograd.fused.normalisation import (
    layer_norm,
    naive_layer_norm,
    naive_rms_norm,
    rms_norm,
)
from minitx.autograd.fused.softmax import log_softmax, naive_log_softmax, naive_softmax, softmax

__all__ = [
    "attention",
    "cross_entropy",
    "delta_rule",
    "delta_step",
    "gelu",
    "glu",
    "layer_norm",
    "linear",
    "linear_attention",
    "log_softmax",
    "naive_attention",
    "naive_cross_entropy",
    "naive_delta_rule",
    "naive_gelu_erf",
    "naive_gelu_tanh",
    "naive_layer_norm",
    "naive_linear",
    "naive_linear_attention",
    "naive_log_softmax",
    "naive_rms_norm",
    "naive_silu",
    "naive_softmax",
    "naive_swiglu",
    "quadratic_linear_attention",
    "recurrent_delta_rule",
    "recurrent_linear_attention",
    "rms_norm",
    "silu",
    "softmax",
    "swiglu",
]
