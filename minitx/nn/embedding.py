"""Embedding: a table with a row of numbers for every token id."""

from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn import initialisers
from minitx.nn.module import Module, Parameter


class Embedding(Module):
    """Row i of ``weight`` for token id i: the same as a one-hot row times the table.

    ids (...) integers from 0 to V - 1 -> (..., D); weight (V, D) starts from N(0, 1), as in
    PyTorch. Raises IndexError for an id out of range, TypeError for ids that are not integers.
    """

    def __init__(self, vocab_size: int, d_model: int, *, rng: Any = None):
        self.weight = Parameter(initialisers.normal(backend.generator(rng), (vocab_size, d_model)))

    def forward(self, ids: Any) -> Tensor:
        return F.embedding(self.weight, ids)
