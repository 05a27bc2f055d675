"""A norm only before what saturates: queries, keys and the choice of experts."""

from collections.abc import Callable
from typing import Any

from minitx.connections.residual import PreNorm, Stream
from minitx.context import Context


class PeriNorm(PreNorm):
    """x + f(x; norm(x)): f hears x itself, and chooses by norm(x).

    norm(x) goes into ``ctx.shared["normed"]`` for the time of the call; a sublayer that makes
    choices (``SwitchHead``, ``SigmaMoE``) looks there, another takes no notice. With a norm that
    has no epsilon every block is homogeneous of degree 1, block(c x) = c block(x) for c > 0: an
    update grows with the stream that it is added to.

    Source: Csordas et al., "MoEUT" (2024).
    """

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        ctx.shared["normed"] = norm(state.x)
        try:
            update = sublayer(state.x, ctx)
        finally:
            del ctx.shared["normed"]
        return self.add(state, update)
