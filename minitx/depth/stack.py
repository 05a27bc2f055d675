"""Depth: blocks one after the other, or the same ones again and again."""

from collections.abc import Sequence

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.connections.connection import Connection
from minitx.context import Context


class Stack(nn.Module):
    """Blocks one after the other; a ``connection`` may join the blocks as it joins sublayers.

    x (B, T, D) -> (B, T, D). A Stack is called as a block is, so Stacks can be stacked.
    """

    def __init__(self, blocks: Sequence[nn.Module], connection: Connection | None = None):
        self.blocks = list(blocks)
        self.connection = connection

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        if self.connection is None:
            for block in self.blocks:
                x = block(x, ctx)
            return x
        state = self.connection.begin(x)
        for block in self.blocks:
            state = self.connection.apply(state, block, None, ctx)
        return self.connection.end(state)


class Loop(nn.Module):
    """The same block ``times`` times: f(f(...f(x))). Of a Stack of A and B: A B A B ...

    Source: Dehghani et al., "Universal Transformers" (2019).
    """

    def __init__(self, block: nn.Module, times: int):
        if times < 0:
            raise ValueError(f"Loop expected a number of times from 0, got {times}")
        self.block, self.times = block, times

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        for _ in range(self.times):
            x = self.block(x, ctx)
        return x
