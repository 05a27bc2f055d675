"""A group of different blocks, used again and again; choices are balanced over all the uses."""

from collections.abc import Sequence

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.depth.stack import Loop, Stack


class Group(Loop):
    """A Loop of a Stack, A B A B ..., that leaves a loss for every part that chooses experts.

    The loss is weight * sum_e p_e log p_e, where p is the mean choice over the tokens, the batch
    and all uses of the part: minus an entropy, so that to lower it is to use all experts, though
    not all in every use. It is left in ``ctx.losses`` under "balance".

    Source: Csordas et al., "MoEUT" (2024): G = the number of blocks.
    """

    def __init__(self, blocks: Sequence[nn.Module], times: int):
        super().__init__(Stack(blocks), times)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        x = super().forward(x, ctx)
        for uses in ctx.shared.pop("choices", {}).values():
            ctx.losses.append(("balance", uses.imbalance()))
        return x
