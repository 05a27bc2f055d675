"""Channel mixers: what does a token make of what it has heard? Called as ``mixer(x, ctx)``."""

from minitx.channel_mixers.gated import GLU
from minitx.channel_mixers.grouped import GroupedLinear, GroupedMLP
from minitx.channel_mixers.mlp import MLP
from minitx.channel_mixers.polynomial import PolyNorm, PolyReLU, polynomial
from minitx.channel_mixers.sigma_moe import SigmaMoE

__all__ = [
    "GLU",
    "MLP",
    "GroupedLinear",
    "GroupedMLP",
    "PolyNorm",
    "PolyReLU",
    "SigmaMoE",
    "polynomial",
]
