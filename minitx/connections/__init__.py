"""Connections: how is a sublayer's update added? Where the norm stands, and what else flows past.

A connection owns its state: ``begin(x)``, ``apply(state, sublayer, norm, ctx)``, ``end(state)``.
"""

from minitx.connections.additions import Gate, LayerScale, Scaled
from minitx.connections.connection import Connection
from minitx.connections.peri_norm import PeriNorm
from minitx.connections.residual import (
    OutputNorm,
    PostNorm,
    PreNorm,
    Residual,
    SandwichNorm,
    Stream,
)

__all__ = [
    "Connection",
    "Gate",
    "LayerScale",
    "OutputNorm",
    "PeriNorm",
    "PostNorm",
    "PreNorm",
    "Residual",
    "SandwichNorm",
    "Scaled",
    "Stream",
]
