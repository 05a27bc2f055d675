"""Depths with a loop in them that the battery walks, a line each."""

from minitx.connections.residual import PostNorm, PreNorm
from minitx.contracts.connection import joined
from minitx.contracts.variants.register import register
from minitx.depth.loop import InjectedLoop
from minitx.depth.pre_loop_post import PreLoopPost

register(
    "depth",
    "loop with its input added",
    "minitx.depth.loop:InjectedLoop",
    lambda rng: InjectedLoop(joined(PostNorm(), rng), 3),
)
register(
    "depth",
    "before, loop, after",
    "minitx.depth.pre_loop_post:PreLoopPost",
    lambda rng: PreLoopPost(*[joined(PreNorm(), rng) for _ in range(3)], times=2),
)
