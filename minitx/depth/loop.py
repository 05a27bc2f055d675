"""Loops that are told again what the question was: the same block, with its input added each time.

Fills the slot "depth". ``iterate`` runs a block again and again and hands out every pass, so that
an objective can look at several of them and a gradient need not go through all.
"""

from collections.abc import Callable, Iterator

from minitx import functional as F
from minitx import nn
from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor
from minitx.context import Context


def iterate(
    step: Callable[[Tensor], Tensor], y: Tensor, times: int, window: int | None = None
) -> Iterator[Tensor]:
    """step(y), step(step(y)), ...: what each of ``times`` passes gives.

    With a ``window`` only the last so many passes are differentiated: what comes before them
    counts as given. Without one all are.

    Raises ValueError for a negative number of passes, and for a window that is not in 0 ... times.
    """
    window = times if window is None else window
    if not 0 <= window <= times:
        raise ValueError(f"expected 0 <= window <= times, got window {window} and times {times}")
    for t in range(times):
        if t < times - window:
            with no_grad():
                y = step(y)
        else:
            y = step(y)
        yield y


class InjectedLoop(nn.Module):
    """One block ``times`` times, each time on its last output plus the input.

    Y_0 = 0,  Y_{t+1} = block(Y_t + x).  x (B, T, D) -> (B, T, D). The same without the input is
    ``Loop``; with different blocks it is a ``Stack``.

    Raises ValueError for a negative number of times.

    Source: Yang et al., "Looped Transformers are Better at Learning Learning Algorithms" (2023):
    M = block, P = x, b = times, T = window.
    """

    def __init__(self, block: nn.Module, times: int):
        if times < 0:
            raise ValueError(f"InjectedLoop expected a number of times from 0, got {times}")
        self.block, self.times = block, times

    def passes(
        self,
        x: Tensor,
        ctx: Context | None = None,
        times: int | None = None,
        window: int | None = None,
    ) -> Iterator[Tensor]:
        """Y_1, Y_2, ..., as often as asked; ``window`` as in ``iterate``."""
        ctx = Context.of(x) if ctx is None else ctx
        times = self.times if times is None else times
        return iterate(lambda y: self.block(y + x, ctx), F.zeros_like(x), times, window)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return [F.zeros_like(x), *self.passes(x, ctx)][-1]
