"""Channel mixers that the battery walks, a line each."""

from minitx.channel_mixers.gated import GLU
from minitx.channel_mixers.grouped import GroupedMLP
from minitx.channel_mixers.mlp import MLP
from minitx.channel_mixers.polynomial import PolyNorm, PolyReLU
from minitx.contracts.battery import D_MODEL
from minitx.contracts.variants.register import register

_GLU, _POLY = "minitx.channel_mixers.gated:GLU", "minitx.channel_mixers.polynomial:"
for _name in ("gelu", "gelu_erf", "relu", "squared_relu", "silu"):
    register(
        "channel_mixer",
        f"MLP, {_name.replace('_', ' ')}",
        "minitx.channel_mixers.mlp:MLP",
        lambda rng, name=_name: MLP(D_MODEL, 20, name, rng=rng),
    )
for _name, _gate in {"SwiGLU": "silu", "GEGLU": "gelu", "ReGLU": "relu", "GLU": "sigmoid"}.items():
    register(
        "channel_mixer",
        _name,
        _GLU,
        lambda rng, gate=_gate: GLU(D_MODEL, 20, gate, rng=rng),
        "zero_keeping",
    )
register(
    "channel_mixer",
    "bilinear unit",
    _GLU,
    lambda rng: GLU(D_MODEL, 20, lambda x: x, rng=rng),
    "zero_keeping",
)
register(
    "channel_mixer",
    "PolyReLU",
    _POLY + "PolyReLU",
    lambda rng: MLP(D_MODEL, 20, PolyReLU(), rng=rng),
)
register(
    "channel_mixer",
    "PolyNorm",
    _POLY + "PolyNorm",
    lambda rng: MLP(D_MODEL, 20, PolyNorm(), rng=rng),
)
register(
    "channel_mixer",
    "grouped MLP",
    "minitx.channel_mixers.grouped:GroupedMLP",
    lambda rng: GroupedMLP(D_MODEL, 20, groups=4, rng=rng),
)
