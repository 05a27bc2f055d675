"""Adaptive computation time: a loop that each token leaves by itself, at a price for each pass."""

from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context


class AdaptiveLoop(nn.Module):
    """y = sum_n p_n f^n(x): passes weighted by the chance that the token stops after them.

    x (B, T, D) -> (B, T, D). After pass n a token stops with p_n = sigmoid(w h + b). It is done
    when the sum passes 1 - ``slack``, or after ``most`` passes; the last pass taken gets what is
    left of 1, the remainder R, and the state is copied on from there. ``cost`` (N + R), the mean
    over tokens, is left in ``ctx.losses`` under "ponder"; through R it has a gradient.

    Source: Graves, "Adaptive Computation Time" (2016): epsilon = slack, tau = cost. Dehghani et
    al., "Universal Transformers" (2019).
    """

    def __init__(
        self,
        block: nn.Module,
        d_model: int,
        most: int,
        cost: float = 0.01,
        slack: float = 0.01,
        rng: Any = None,
    ):
        if most < 1:
            raise ValueError(f"AdaptiveLoop expected at most 1 pass or more, got {most}")
        self.block, self.most, self.cost, self.slack = block, most, cost, slack
        self.stop = nn.Linear(d_model, 1, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        ctx = Context.of(x) if ctx is None else ctx
        going = backend.namespace(x.data).ones((*x.shape[:2], 1), bool)
        y, total, ponder = x * 0, x[..., :1] * 0, x[..., :1] * 0  # total: what is spent of 1
        for n in range(1, self.most + 1):
            x = F.where(going, self.block(x, ctx), x)
            p = F.sigmoid(self.stop(x))
            enough = total.data + p.data > 1 - self.slack
            last = going if n == self.most else going & enough
            p = F.where(last, 1 - total, F.where(going, p, 0))
            y, total = y + p * x, total + p
            ponder = ponder + F.astype(going, x.dtype) + F.where(last, p, 0)
            going = going & ~last
        ctx.losses.append(("ponder", self.cost * _mean(ponder[..., 0], ctx.valid)))
        return y


def _mean(x: Tensor, valid: Any) -> Tensor:
    """The mean of x (B, T) over the tokens that are there."""
    if valid is None:
        return F.mean(x)
    return F.sum(F.where(valid, x, 0)) / max(1, int(valid.sum()))
