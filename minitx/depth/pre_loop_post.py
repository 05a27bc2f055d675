"""Before, again and again, after: an algorithm has a preparation, a loop body and an answer.

Fills the slot "depth".
"""

from collections.abc import Iterator

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.depth.loop import iterate


class PreLoopPost(nn.Module):
    """post(body(body(... body(pre(x))))), with ``times`` passes through one body.

    x (B, T, D) -> (B, T, D). Each of the three is called as a block is; a ``Stack`` of no blocks
    does nothing. The same as ``Stack([pre, Loop(body, times), post])``, but its passes can be
    looked at one by one.

    Raises ValueError for a negative number of times.

    Source: Gao et al., "On the Expressive Power of a Variant of the Looped Transformer" (2024):
    TF_pre = pre, TF_loop = body, TF_post = post, T = times.
    """

    def __init__(self, pre: nn.Module, body: nn.Module, post: nn.Module, times: int):
        if times < 0:
            raise ValueError(f"PreLoopPost expected a number of times from 0, got {times}")
        self.pre, self.body, self.post, self.times = pre, body, post, times

    def states(
        self, x: Tensor, ctx: Context | None = None, times: int | None = None
    ) -> Iterator[Tensor]:
        """What the body leaves after 1, 2, ... passes, before ``post``."""
        ctx = Context.of(x) if ctx is None else ctx
        times = self.times if times is None else times
        return iterate(lambda y: self.body(y, ctx), self.pre(x, ctx), times)

    def passes(
        self, x: Tensor, ctx: Context | None = None, times: int | None = None
    ) -> Iterator[Tensor]:
        """The answer after 1, 2, ... passes."""
        ctx = Context.of(x) if ctx is None else ctx
        return (self.post(y, ctx) for y in self.states(x, ctx, times))

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        y = self.pre(x, ctx)
        for _ in range(self.times):
            y = self.body(y, ctx)
        return self.post(y, ctx)
