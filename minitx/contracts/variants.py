"""What the battery walks: a line for everything that fills a slot.

A new idea is registered here with a small instance, what it declares, and where it is.
"""

from collections.abc import Callable
from typing import Any

from minitx.channel_mixers.gated import GLU
from minitx.channel_mixers.grouped import GroupedMLP
from minitx.channel_mixers.mlp import MLP
from minitx.channel_mixers.polynomial import PolyNorm, PolyReLU
from minitx.connections.additions import Gate, LayerScale, Scaled
from minitx.connections.residual import OutputNorm, PostNorm, PreNorm, Residual, SandwichNorm
from minitx.contracts.battery import D_MODEL, NUM_HEADS, Variant
from minitx.contracts.connection import joined
from minitx.contracts.head import Passing, Scoring
from minitx.contracts.position import Placed
from minitx.contracts.two_stream_mixer import Reading
from minitx.depth.stack import Loop, Stack
from minitx.models.pooling import mean_pool
from minitx.models.scoring import BiEncoder, PolyEncoder
from minitx.nn import RMSNorm
from minitx.positions.absolute import Learned, NoPosition, Sinusoidal
from minitx.positions.relative import URPE, ALiBi, Shaw, T5Bias
from minitx.positions.rotary import Rotary, banded_scaling, linear_scaling, ntk_scaling
from minitx.positions.transformer_xl import TransformerXL
from minitx.token_mixers.attention import CrossAttention, MultiHeadAttention
from minitx.token_mixers.masks import Causal, Window
from minitx.token_mixers.modifiers import QKNorm, SinkSoftmax, SoftCap
from minitx.token_mixers.segment_memory import SegmentMemory

VARIANTS: list[Variant] = []
_D_HEAD = D_MODEL // NUM_HEADS


def register(
    contract: str, name: str, code: str, make: Callable, traits: str = "", cost: float = 1.0
) -> None:
    """Put a variant on the list; ``traits`` are names with spaces between them."""
    if any((it.contract, it.name) == (contract, name) for it in VARIANTS):
        raise ValueError(f"there is already a {contract} called {name!r}")
    VARIANTS.append(Variant(name, contract, make, frozenset(traits.split()), cost, code))


# ---------------------------------------------------------------------------------- token mixers


def _attention(name: str, traits: str, code: str = "", **options: Any) -> None:
    """Softmax attention with these options; an option that is a function makes its value."""

    def make(rng):
        made = {k: v(rng) if callable(v) else v for k, v in options.items()}
        return MultiHeadAttention(D_MODEL, NUM_HEADS, rng=rng, **made)

    code = code or "minitx.token_mixers.attention:MultiHeadAttention"
    register("token_mixer", name, code, make, traits, cost=2.0)


_MODIFIERS = "minitx.token_mixers.modifiers:"
_attention("attention", "equivariant")
_attention("causal attention", "causal recurrent", mask=Causal())
_attention("multi-query attention", "equivariant", num_kv_heads=1)
_attention(
    "multi-query, causal, rotary", "causal recurrent", num_kv_heads=1, mask=Causal(),
    position=lambda rng: Rotary(_D_HEAD),
)  # fmt: skip
_attention("sliding window", "", "minitx.token_mixers.masks:Window", mask=Window(3))
_attention(
    "causal sliding window", "causal recurrent", "minitx.token_mixers.masks:Window",
    mask=Causal() & Window(3),
)  # fmt: skip
_attention(
    "normalised queries and keys", "equivariant", _MODIFIERS + "QKNorm",
    hooks=lambda rng: [QKNorm(lambda: RMSNorm(_D_HEAD))],
)  # fmt: skip
_attention("soft-capped scores", "equivariant", _MODIFIERS + "SoftCap",
           hooks=lambda rng: [SoftCap(5.0)])  # fmt: skip
_attention("attention sink", "equivariant", _MODIFIERS + "SinkSoftmax",
           normalise=lambda rng: SinkSoftmax(NUM_HEADS))  # fmt: skip
register(
    "token_mixer", "segment memory", "minitx.token_mixers.segment_memory:SegmentMemory",
    lambda rng: SegmentMemory(CrossAttention(D_MODEL, NUM_HEADS, mask=Causal(), rng=rng), 64),
    "causal recurrent", cost=2.0,
)  # fmt: skip

# ----------------------------------------------------------------------------- two-stream mixers

_CROSS = "minitx.token_mixers.attention:CrossAttention"
register("two_stream_mixer", "cross-attention", _CROSS,
         lambda rng: Reading(CrossAttention(D_MODEL, NUM_HEADS, rng=rng)), "order_free")  # fmt: skip
register("two_stream_mixer", "cross-attention, one key head", _CROSS,
         lambda rng: Reading(CrossAttention(D_MODEL, NUM_HEADS, 1, rng=rng)), "order_free")  # fmt: skip
register("two_stream_mixer", "cross-attention, rotary", _CROSS,
         lambda rng: Reading(CrossAttention(D_MODEL, NUM_HEADS, position=Rotary(_D_HEAD), rng=rng)))  # fmt: skip

# --------------------------------------------------------------------------------- channel mixers

_GLU, _POLY = "minitx.channel_mixers.gated:GLU", "minitx.channel_mixers.polynomial:"
for _name in ("gelu", "gelu_erf", "relu", "squared_relu", "silu"):
    register("channel_mixer", f"MLP, {_name.replace('_', ' ')}", "minitx.channel_mixers.mlp:MLP",
             lambda rng, name=_name: MLP(D_MODEL, 20, name, rng=rng))  # fmt: skip
for _name, _gate in {"SwiGLU": "silu", "GEGLU": "gelu", "ReGLU": "relu", "GLU": "sigmoid"}.items():
    register("channel_mixer", _name, _GLU,
             lambda rng, gate=_gate: GLU(D_MODEL, 20, gate, rng=rng), "zero_keeping")  # fmt: skip
register("channel_mixer", "bilinear unit", _GLU,
         lambda rng: GLU(D_MODEL, 20, lambda x: x, rng=rng), "zero_keeping")  # fmt: skip
register("channel_mixer", "PolyReLU", _POLY + "PolyReLU",
         lambda rng: MLP(D_MODEL, 20, PolyReLU(), rng=rng))  # fmt: skip
register("channel_mixer", "PolyNorm", _POLY + "PolyNorm",
         lambda rng: MLP(D_MODEL, 20, PolyNorm(), rng=rng))  # fmt: skip
register("channel_mixer", "grouped MLP", "minitx.channel_mixers.grouped:GroupedMLP",
         lambda rng: GroupedMLP(D_MODEL, 20, groups=4, rng=rng))  # fmt: skip

# -------------------------------------------------------------------------------------- positions


def _position(name: str, code: str, traits: str, make: Callable) -> None:
    register(
        "position", name, f"minitx.positions.{code}", lambda rng: Placed(make(rng), rng=rng), traits
    )


_position("none", "absolute:NoPosition", "blind relative endless", lambda rng: NoPosition())
_position("sinusoidal", "absolute:Sinusoidal", "endless", lambda rng: Sinusoidal(D_MODEL))
_position("learned", "absolute:Learned", "", lambda rng: Learned(70, D_MODEL, rng=rng))
_position(
    "T5 buckets", "relative:T5Bias", "relative endless", lambda rng: T5Bias(NUM_HEADS, rng=rng)
)
_position("ALiBi", "relative:ALiBi", "relative endless", lambda rng: ALiBi(NUM_HEADS))
_position("Shaw", "relative:Shaw", "relative endless", lambda rng: Shaw(_D_HEAD, 5, rng=rng))
_position("URPE", "relative:URPE", "relative", lambda rng: URPE(70, NUM_HEADS))
_position("Transformer-XL", "transformer_xl:TransformerXL", "relative endless",
          lambda rng: TransformerXL(NUM_HEADS, _D_HEAD, rng=rng))  # fmt: skip
_position("rotary", "rotary:Rotary", "relative endless", lambda rng: Rotary(_D_HEAD))
_position("rotary, half the width", "rotary:Rotary", "relative endless",
          lambda rng: Rotary(_D_HEAD, width=2))  # fmt: skip
for _name, _scaling in {
    "linear": linear_scaling(2.0), "NTK": ntk_scaling(2.0), "by bands": banded_scaling(2.0, 16),
}.items():  # fmt: skip
    _position(f"rotary, scaled {_name}", "rotary:Rotary", "relative endless",
              lambda rng, scaling=_scaling: Rotary(_D_HEAD, scaling=scaling))  # fmt: skip

# ------------------------------------------------------------------------------------ connections


def _connection(name: str, code: str, traits: str, make: Callable) -> None:
    code = f"minitx.connections.{code}"
    register("connection", name, code, lambda rng: joined(make(rng), rng), traits)


_STREAM = "keeps_stream"
_connection("residual", "residual:Residual", _STREAM, lambda rng: Residual())
_connection("pre-norm", "residual:PreNorm", _STREAM, lambda rng: PreNorm())
_connection("post-norm", "residual:PostNorm", "", lambda rng: PostNorm())
_connection(
    "post-norm, scaled stream", "residual:PostNorm", "", lambda rng: PostNorm(stream_scale=1.5)
)
_connection("output norm", "residual:OutputNorm", _STREAM, lambda rng: OutputNorm())
_connection("sandwich norm", "residual:SandwichNorm", _STREAM, lambda rng: SandwichNorm())
_connection(
    "one scale (ReZero)", "additions:Scaled", _STREAM, lambda rng: PreNorm(Scaled(), Scaled())
)
_connection("LayerScale", "additions:LayerScale", _STREAM,
            lambda rng: PreNorm(LayerScale(D_MODEL), LayerScale(D_MODEL)))  # fmt: skip
_connection("gate", "additions:Gate", "",
            lambda rng: PreNorm(Gate(D_MODEL, rng=rng), Gate(D_MODEL, rng=rng)))  # fmt: skip

# ------------------------------------------------------------------------------------------ depth

register("depth", "stack", "minitx.depth.stack:Stack",
         lambda rng: Stack([joined(PreNorm(), rng), joined(PostNorm(), rng)]))  # fmt: skip
register("depth", "loop", "minitx.depth.stack:Loop",
         lambda rng: Loop(Stack([joined(PreNorm(), rng), joined(PreNorm(), rng)]), 2))  # fmt: skip

# ------------------------------------------------------------------------------------------ heads

register("head", "one vector for a context", "minitx.models.scoring:BiEncoder",
         lambda rng: Scoring(BiEncoder(Passing(rng), Passing(rng), mean_pool)))  # fmt: skip
register("head", "three codes for a context", "minitx.models.scoring:PolyEncoder", lambda rng:
         Scoring(PolyEncoder(Passing(rng), Passing(rng), 3, mean_pool, rng)))  # fmt: skip
