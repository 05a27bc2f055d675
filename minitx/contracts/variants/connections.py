"""Connections, and the depths that use them that the battery walks, a line each."""

from collections.abc import Callable

from minitx.connections.additions import Gate, LayerScale, Scaled
from minitx.connections.residual import OutputNorm, PostNorm, PreNorm, Residual, SandwichNorm
from minitx.contracts.battery import D_MODEL
from minitx.contracts.connection import joined
from minitx.contracts.variants.register import register
from minitx.depth.stack import Loop, Stack


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
_connection(
    "LayerScale",
    "additions:LayerScale",
    _STREAM,
    lambda rng: PreNorm(LayerScale(D_MODEL), LayerScale(D_MODEL)),
)
_connection(
    "gate",
    "additions:Gate",
    "",
    lambda rng: PreNorm(Gate(D_MODEL, rng=rng), Gate(D_MODEL, rng=rng)),
)

register(
    "depth",
    "stack",
    "minitx.depth.stack:Stack",
    lambda rng: Stack([joined(PreNorm(), rng), joined(PostNorm(), rng)]),
)
register(
    "depth",
    "loop",
    "minitx.depth.stack:Loop",
    lambda rng: Loop(Stack([joined(PreNorm(), rng), joined(PreNorm(), rng)]), 2),
)
