"""What a model that predicts tokens is given: something to read, and what it is asked."""

from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """inputs and targets (B, T) int64, and mask (B, T) bool: True where an answer counts.

    ``targets[:, t]`` is the right answer at place t, for a model that has read ``inputs`` up to
    and with t.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray


def next_token(sequence: np.ndarray, asked: int) -> Batch:
    """Sequences (B, T + 1) as a batch (B, T) in which the last ``asked`` tokens are asked for."""
    sequence = sequence.astype(np.int64)
    mask = np.zeros(sequence[:, 1:].shape, dtype=bool)
    mask[:, mask.shape[1] - asked :] = True
    return Batch(sequence[:, :-1], sequence[:, 1:], mask)
