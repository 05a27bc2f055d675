"""From the vectors of all tokens to one for the sequence."""

from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor


def first_token(hidden: Tensor, valid: Any = None) -> Tensor:
    """The vector of each row's first token that is there: (B, T, D) -> (B, D)."""
    if valid is None:
        return hidden[:, 0]
    xp = backend.namespace(hidden.data)
    return hidden[xp.arange(hidden.shape[0]), valid.argmax(axis=1)]


def mean_pool(hidden: Tensor, valid: Any = None) -> Tensor:
    """The mean over the tokens that are there (zeros if none is): (B, T, D) -> (B, D)."""
    if valid is None:
        return F.mean(hidden, axis=1)
    counts = valid.sum(axis=1, keepdims=True).clip(1)
    return F.sum(F.where(valid[..., None], hidden, 0), axis=1) / counts.astype(hidden.dtype)


def max_pool(hidden: Tensor, valid: Any = None) -> Tensor:
    """The greatest number of each feature over the tokens that are there: (B, D)."""
    if valid is not None:
        hidden = F.where(valid[..., None], hidden, float("-inf"))
    return F.max(hidden, axis=1)


def unit(x: Tensor, eps: float = 1e-12) -> Tensor:
    """x / |x| over the last axis."""
    return x / F.maximum(F.norm(x, axis=-1, keepdims=True), eps)
