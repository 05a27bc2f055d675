"""Positions that the battery walks, a line each."""

from collections.abc import Callable

from minitx.contracts.battery import D_HEAD, D_MODEL, NUM_HEADS
from minitx.contracts.position import Placed
from minitx.contracts.variants.register import register
from minitx.positions.absolute import Learned, NoPosition, Sinusoidal
from minitx.positions.relative import URPE, ALiBi, Shaw, T5Bias
from minitx.positions.rotary import Rotary, banded_scaling, linear_scaling, ntk_scaling
from minitx.positions.transformer_xl import TransformerXL


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
_position("Shaw", "relative:Shaw", "relative endless", lambda rng: Shaw(D_HEAD, 5, rng=rng))
_position("URPE", "relative:URPE", "relative", lambda rng: URPE(70, NUM_HEADS))
_position(
    "Transformer-XL",
    "transformer_xl:TransformerXL",
    "relative endless",
    lambda rng: TransformerXL(NUM_HEADS, D_HEAD, rng=rng),
)
_position("rotary", "rotary:Rotary", "relative endless", lambda rng: Rotary(D_HEAD))
_position(
    "rotary, half the width",
    "rotary:Rotary",
    "relative endless",
    lambda rng: Rotary(D_HEAD, width=2),
)
for _name, _scaling in {
    "linear": linear_scaling(2.0),
    "NTK": ntk_scaling(2.0),
    "by bands": banded_scaling(2.0, 16),
}.items():
    _position(
        f"rotary, scaled {_name}",
        "rotary:Rotary",
        "relative endless",
        lambda rng, scaling=_scaling: Rotary(D_HEAD, scaling=scaling),
    )
