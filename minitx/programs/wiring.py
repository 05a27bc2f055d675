"""Weights written by hand: heads that look up an address, hidden units that count.

What is written is put into the ordinary modules of the package, ``MultiHeadAttention`` and
``MLP``; as buffers, because it is saved with them and never trained.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitx.channel_mixers.mlp import MLP
from minitx.nn.module import Buffer
from minitx.token_mixers.attention import MultiHeadAttention


class Head(NamedTuple):
    """One head: a column asks ``query @ x``, is found by ``key @ x``, and tells ``value @ x``.

    Each is a matrix (k, D) of readings of a column x; the scores are query . key, without a
    further scale. The answer is added along the rows of ``to`` (k, D).
    """

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    to: np.ndarray


def attention(heads: Sequence[Head]) -> MultiHeadAttention:
    """The attention layer that has just these heads, all as wide as the widest needs."""
    width = heads[0].query.shape[1]
    d_head = max(len(matrix) for head in heads for matrix in head)

    def stacked(matrices: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.pad(m, ((0, d_head - len(m)), (0, 0))) for m in matrices])

    mixer = MultiHeadAttention(width, len(heads), d_head=d_head, bias=False, rng=0)
    queries = [head.query * np.sqrt(d_head) for head in heads]  # attention divides by it
    keys, values = [head.key for head in heads], [head.value for head in heads]
    mixer.qkv.weight = Buffer(stacked([*queries, *keys, *values]))
    mixer.out.weight = Buffer(stacked([head.to for head in heads]).T)
    return mixer


class Neurons:
    """Hidden units, gathered one by one: each adds relu(reading . x + bias) * effect to x."""

    def __init__(self, width: int):
        self.readings: list[np.ndarray] = []
        self.biases: list[float] = []
        self.effects: list[np.ndarray] = []
        self.constant = np.zeros(width)

    def add(self, reading: np.ndarray, bias: float, effect: np.ndarray) -> None:
        """One unit: ``reading`` and ``effect`` are vectors (D,)."""
        self.readings.append(reading)
        self.biases.append(bias)
        self.effects.append(effect)

    def step(self, reading: np.ndarray, bias: float, effect: np.ndarray) -> None:
        """Two units: ``effect`` where u = reading . x + bias is above 1/4, nothing below -1/4.

        relu(2u + 1/2) - relu(2u - 1/2) climbs from 0 to 1 between the two, so that whatever
        small error u has is gone. That is what rounds.
        """
        self.add(2 * reading, 2 * bias + 0.5, effect)
        self.add(2 * reading, 2 * bias - 0.5, -effect)

    def erase(self, rows: np.ndarray) -> None:
        """Two units for each row (D,): -relu(x) + relu(-x) = -x, which leaves 0 in that place."""
        for row in rows:
            self.add(row, 0.0, -row)
            self.add(-row, 0.0, row)

    def mlp(self) -> MLP:
        """The channel mixer of these units."""
        made = MLP(len(self.constant), len(self.biases), "relu", rng=0)
        made.up.weight, made.up.bias = Buffer(np.array(self.readings)), Buffer(self.biases)
        made.down.weight, made.down.bias = Buffer(np.array(self.effects).T), Buffer(self.constant)
        return made
