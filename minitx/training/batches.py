"""Batches whose order is part of a checkpoint: where they are is a few numbers, not a guess.

An iterator that draws all its randomness from a generator when it is asked for a batch
(``Windows.batches``) needs none of this: give its generator to the Trainer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitx import backend


class Cycle:
    """The items of a sequence, round and round. Raises ValueError for an empty one."""

    def __init__(self, items: Sequence[Any]):
        if not len(items):
            raise ValueError("expected at least one batch, got none")
        self.items, self.position = items, 0

    def __iter__(self) -> "Cycle":
        return self

    def __next__(self) -> Any:
        item = self.items[self.position % len(self.items)]
        self.position += 1
        return item

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as JSON can hold it."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.position = state["position"]


class Shuffled:
    """Batches of arrays of one length N, in a new random order in every epoch, without end.

    ``Shuffled(inputs, targets, batch_size=32, rng=0)`` gives tuples of arrays (batch_size, ...);
    what is left over at the end of an epoch, fewer than a batch, is left out of it.
    Raises ValueError for arrays of different lengths, or shorter than one batch.
    """

    def __init__(self, *arrays: np.ndarray, batch_size: int, rng: Any = None):
        lengths = [len(array) for array in arrays]
        if len(set(lengths)) != 1 or not 0 < batch_size <= lengths[0]:
            raise ValueError(
                f"expected arrays of one length, at least batch_size = {batch_size} > 0, "
                f"got lengths {lengths}"
            )
        self.arrays, self.batch_size, self.rng = arrays, batch_size, backend.generator(rng)
        self._begin()

    def _begin(self) -> None:
        self._before = self.rng.bit_generator.state  # from which this epoch's order is drawn
        self._order, self._taken = self.rng.permutation(len(self.arrays[0])), 0

    def __iter__(self) -> "Shuffled":
        return self

    def __next__(self) -> tuple[np.ndarray, ...]:
        if self._taken + self.batch_size > len(self._order):
            self._begin()
        chosen = self._order[self._taken : self._taken + self.batch_size]
        self._taken += self.batch_size
        return tuple(array[chosen] for array in self.arrays)

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as JSON can hold it."""
        return {"generator": self._before, "taken": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.rng.bit_generator.state = state["generator"]
        self._begin()
        self._taken = state["taken"]
