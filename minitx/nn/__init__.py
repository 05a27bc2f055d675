"""Layers: Modules with parameters, and what they are made of.

Below the slots of a transformer and above the engine. One file an idea; no layer knows of any
other but by being called.
"""

from minitx.nn import initialisers, losses
from minitx.nn.activations import ACTIVATIONS, Activation, activation
from minitx.nn.containers import Sequential
from minitx.nn.convolution import Conv1d, Conv2d
from minitx.nn.dropout import Dropout
from minitx.nn.embedding import Embedding
from minitx.nn.linear import Linear
from minitx.nn.mlp import MLP
from minitx.nn.module import Buffer, Module, Parameter, functional_call, note, record, within
from minitx.nn.normalisation import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from minitx.nn.pack import pack
from minitx.nn.progressive_norm import ProgressiveNorm, RepBatchNorm, fold, set_share
from minitx.nn.recurrent import GRU, LSTM

__all__ = [
    "Module",
    "Parameter",
    "Buffer",
    "functional_call",
    "record",
    "note",
    "within",
    "pack",
    "Linear",
    "Embedding",
    "Dropout",
    "LayerNorm",
    "RMSNorm",
    "GroupNorm",
    "BatchNorm",
    "RepBatchNorm",
    "ProgressiveNorm",
    "set_share",
    "fold",
    "Conv1d",
    "Conv2d",
    "GRU",
    "LSTM",
    "MLP",
    "Activation",
    "ACTIVATIONS",
    "activation",
    "Sequential",
    "initialisers",
    "losses",
]
