"""Layers: Modules with parameters, and what they are made of.

Below the slots of a transformer and above the engine. One file an idea; no layer knows of any
other but by being called.
"""

from minitx.nn import initialisers
from minitx.nn.dropout import Dropout
from minitx.nn.embedding import Embedding
from minitx.nn.linear import Linear
from minitx.nn.module import Buffer, Module, Parameter, functional_call, note, record, within
from minitx.nn.normalisation import BatchNorm, GroupNorm, LayerNorm, RMSNorm

__all__ = [
    "Module",
    "Parameter",
    "Buffer",
    "functional_call",
    "record",
    "note",
    "within",
    "Linear",
    "Embedding",
    "Dropout",
    "LayerNorm",
    "RMSNorm",
    "GroupNorm",
    "BatchNorm",
    "initialisers",
]
