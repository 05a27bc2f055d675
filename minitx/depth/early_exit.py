"""Every token takes as many blocks as it needs; then its state is copied on, for others to hear."""

from collections.abc import Callable, Sequence
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.record import note
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import Context
from minitx.depth.halting import never


class EarlyExit(nn.Module):
    """A Stack that a token leaves when ``halting(x, n)`` says so, after block n.

    x (B, T, D) -> (B, T, D). Deeper blocks hear a token that has left in the state in which it
    left, so that it can be attended to at any depth; this is the same while learning, reading and
    writing. How many blocks each token took is left in ``ctx.shared["blocks"]``, an array (B, T).
    To learn, take the ``states`` of all exits, or draw exits with the rule ``After``.

    Source: Elbayad et al., "Depth-Adaptive Transformer" (2020): N = the number of blocks.
    """

    def __init__(self, blocks: Sequence[nn.Module], halting: Callable[[Tensor, int], Any] = never):
        self.blocks, self.halting = list(blocks), halting

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        xp = backend.namespace(x.data)
        going, taken = xp.ones(x.shape[:2], bool), xp.zeros(x.shape[:2], int)
        for n, block in enumerate(self.blocks, 1):
            x = F.where(going[..., None], block(x, ctx), x)
            taken = taken + going
            going = going & ~self.halting(x, n)
        ctx.shared["blocks"] = taken
        note("blocks", wrap(taken, None))
        return x

    def states(self, x: Tensor, ctx: Context | None = None) -> list[Tensor]:
        """The tokens after each block, all of them having gone on: what every exit would read."""
        ctx, found = Context.of(x) if ctx is None else ctx, []
        for block in self.blocks:
            x = block(x, ctx)
            found.append(x)
        return found
