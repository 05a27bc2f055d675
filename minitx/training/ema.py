"""EMA: a running mean of the weights, steadier than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor
from minitx.nn.module import Module


class EMA:
    """e = decay e + (1 - decay) p for every parameter p, at each ``update``; buffers are copied.

    ``with ema.applied():`` puts the means into the model for a while. With ``warm_up`` the decay
    is at most (1 + n) / (10 + n) at update n, so that the start is soon forgotten.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), in
    its exponential form.
    """

    def __init__(self, model: Module, decay: float = 0.999, warm_up: bool = False):
        if not 0 <= decay < 1:
            raise ValueError(f"EMA expected 0 <= decay < 1, got {decay}")
        self.model, self.decay, self.warm_up, self.count = model, decay, warm_up, 0
        self.means = {name: tensor.data.copy() for name, tensor in self._tensors().items()}

    def update(self) -> None:
        """Move every mean towards its parameter."""
        self.count += 1
        decay = self.decay
        if self.warm_up:
            decay = min(decay, (1 + self.count) / (10 + self.count))
        for name, tensor in self._tensors().items():
            mean = self.means[name]
            if tensor.role == "parameter":
                mean += (1 - decay) * (tensor.data - mean)
            else:
                mean[...] = tensor.data

    @contextmanager
    def applied(self) -> Iterator[Module]:
        """Within the block the model has the means for its parameters and buffers."""
        tensors = self._tensors()
        before = {name: tensor.data.copy() for name, tensor in tensors.items()}
        _write(tensors, self.means)
        try:
            yield self.model
        finally:
            _write(tensors, before)

    def state_dict(self) -> dict[str, Any]:
        """name -> NumPy array of the means."""
        return {name: backend.to_numpy(mean) for name, mean in self.means.items()}

    def load_state_dict(self, state: dict[str, Any], count: int = 0) -> None:
        """Take means over, made in ``count`` updates. Raises ValueError if they do not fit."""
        expected = {name: mean.shape for name, mean in self.means.items()}
        got = {name: tuple(mean.shape) for name, mean in state.items()}
        if got != expected:
            wrong = sorted(set(expected.items()) ^ set(got.items()))
            raise ValueError(f"the means do not fit {type(self.model).__name__}: {wrong[:8]}")
        for name, mean in self.means.items():
            mean[...] = backend.namespace(mean).asarray(state[name])
        self.count = count

    def _tensors(self) -> dict[str, Tensor]:
        return dict((*self.model.named_parameters(), *self.model.named_buffers()))


def _write(tensors: dict[str, Tensor], arrays: dict[str, Any]) -> None:
    for name, tensor in tensors.items():
        tensor.data[...] = arrays[name]
        tensor.changed()
