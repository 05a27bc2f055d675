"""When does a token have enough? Rules called as ``halting(x, n)`` after block n: True to stop.

A rule looks at each token x (B, T, D) alone and answers with a boolean array (B, T). With the rules
are the distribution over exits that stopping probabilities make, and the exits that an oracle that
knows the answers would take, from which a rule can learn.

Source: Elbayad et al., "Depth-Adaptive Transformer" (2020).
"""

from collections.abc import Callable
from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor


def never(x: Tensor, n: int) -> Any:
    """No token stops: every block is used."""
    return backend.namespace(x.data).zeros(x.shape[:2], bool)


class After:
    """Stop after as many blocks as ``exits`` says: one number, or an array (B, T)."""

    def __init__(self, exits: Any):
        self.exits = exits

    def __call__(self, x: Tensor, n: int) -> Any:
        xp = backend.namespace(x.data)
        return xp.broadcast_to(xp.asarray(self.exits) <= n, x.shape[:2])


class Confident:
    """Stop at the first exit whose most likely token has more than ``threshold``.

    ``readout(x)`` gives the logits (B, T, V) of a state. A threshold above 1 never stops.
    """

    def __init__(self, readout: Callable[[Tensor], Tensor], threshold: float):
        self.readout, self.threshold = readout, threshold

    def __call__(self, x: Tensor, n: int) -> Any:
        with no_grad():
            return F.max(F.softmax(self.readout(x)), axis=-1).data > self.threshold


class Poisson:
    """Stop where chi = sigmoid(score(x)) is more than 1/2; ``score`` makes (B, T, D) to (B, T, 1).

    ``score`` is learned from an oracle's exits, see ``exit_distribution``.
    """

    def __init__(self, score: Callable[[Tensor], Tensor]):
        self.score = score

    def __call__(self, x: Tensor, n: int) -> Any:
        with no_grad():
            return self.score(x).data[..., 0] > 0


def exit_distribution(stop: Tensor) -> Tensor:
    """q_n = chi_n prod_{m < n} (1 - chi_m): how likely each exit is; the last takes what is left.

    stop: chi (..., N), of which the last is not read -> (..., N), of sum 1.
    """
    going = F.cumprod(1 - stop[..., :-1], axis=-1)  # (..., N - 1)
    one = F.ones_like(stop[..., :1])
    before = F.concatenate([one, going], axis=-1)
    return before * F.concatenate([stop[..., :-1], one], axis=-1)


def likelihood_oracle(losses: Any, penalty: float, width: float = 0.0) -> Any:
    """argmin_n (loss_n + penalty n): the exit (B, T) that best pays for its blocks.

    losses: -log p_n(y) of every exit, an array (B, T, N). With a ``width`` the losses are first
    averaged over neighbouring tokens with weights exp(-|t - s|^2 / width).
    """
    xp, (_, length, exits) = backend.namespace(losses), losses.shape
    if width:
        places = xp.arange(length)
        near = xp.exp(-((places[:, None] - places[None]) ** 2) / width)  # (T, T)
        losses = xp.einsum("ts,bsn->btn", near / near.sum(1, keepdims=True), losses)
    return xp.argmin(losses + penalty * xp.arange(1, exits + 1), axis=-1) + 1


def first_right(right: Any) -> Any:
    """The first exit that is right, from booleans (..., N); N where none is: the least depth."""
    xp = backend.namespace(right)
    return xp.where(right.any(axis=-1), xp.argmax(right, axis=-1) + 1, right.shape[-1])
