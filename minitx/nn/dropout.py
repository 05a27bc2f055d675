"""Dropout: in training, forget some numbers at random, and make up for them with the others."""

from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor
from minitx.nn.module import Module


class Dropout(Module):
    """x m / (1 - rate), with each m = 0 with probability ``rate`` and 1 otherwise; x in evaluation.

    Any shape, kept. The mean over m is x. The generator belongs to the Module and is saved with
    its state. Raises ValueError unless 0 <= rate < 1.

    Source: Srivastava et al., "Dropout" (2014): p (there the chance to keep) = 1 - rate.
    """

    def __init__(self, rate: float, *, rng: Any = None):
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout expected 0 <= rate < 1, got {rate}")
        self.rate, self.rng = rate, backend.generator(rng)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        kept = self.rng.random(x.shape, dtype="float32") >= self.rate
        mask = backend.namespace(x.data).asarray(kept).astype(x.dtype)
        mask *= 1 / (1 - self.rate)
        return x * mask
