"""Parts of a batch on processes, for steps so short that threads wait for one another.

The weights, and the gradients that each process finds, lie in memory that all share; a part of
the batch goes one way and a number comes the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import is_
from typing import Any

import numpy as np

from minitx.autograd.tensor import Tensor
from minitx.autograd.tree import flatten
from minitx.backend.processes import Copy, can_fork, shared
from minitx.backend.threads import blas_threads, cores
from minitx.nn.module import Module
from minitx.training.parallel import (
    Found,
    added,
    in_the_open,
    is_certain,
    on_threads,
    split,
    swept,
)


def on_processes(
    loss: Callable[[Any, Any], Tensor], processes: int | None = None
) -> Callable[[Any, Any], Tensor]:
    """``loss(model, batch)`` as ``on_threads`` computes it, to the bit, with processes.

    ``processes`` is the number of cores unless told. They are copies of this one, made when a
    model comes for the first time. Before each step they are told the numbers in its parameters
    and buffers, and are copied anew when it has other parts or shapes, changes between training
    and evaluation, or the batch is another tree. Any other change to the model or to what ``loss``
    refers to does not reach them, nor do changes that they make come back (running means of a
    batch norm). So a loss may not draw random numbers: each part would draw the same.

    Where processes cannot be copied (they can on Linux), and for a batch of Tensors, it is
    ``on_threads``.
    Raises ValueError as ``on_threads`` does; RuntimeError, with its traceback, for an error in
    another process.
    """
    processes = cores() if processes is None else processes
    threaded = on_threads(loss, processes)
    held: list[_Others] = []

    def parallel(model: Any, batch: Any) -> Tensor:
        parts = split(batch, processes)
        known = bool(held) and held[0].contents.unchanged(model)  # and so without generators
        if len(parts) == 1 or not in_the_open() or not (known or is_certain(model)):
            return loss(model, batch)
        plain = all(isinstance(leaf, np.ndarray) for leaf in flatten(batch)[0])
        if not plain or not can_fork():
            return threaded(model, batch)
        if not held or not held[0].fit(model, batch, len(parts) - 1, known):
            held.clear()
            if any(parameter.device != "cpu" for parameter in model.parameters()):
                return threaded(model, batch)
            held.append(_Others(loss, model, batch, len(parts) - 1))
        try:
            with blas_threads(1):
                held[0].ask(parts[1:])
                return added([swept(loss, model, *parts[0]), *held[0].answers()])
        except BaseException:
            held.clear()  # whatever the others still have to say is of no use
            raise

    return parallel


class _Others:
    """Processes that hold a model, each waiting for its part of a batch."""

    def __init__(self, loss: Callable, model: Any, batch: Any, count: int):
        self.loss, self.model, self.build = loss, model, flatten(batch)[1]
        self.contents = Contents(model)
        self.parameters, self.told = model.parameters(), _told(model)
        self.kind, self.asked = _kind(self.told, batch), 0
        self.weights = shared(tensor.data for tensor in self.told)
        self.gradients = [shared(p.data for p in self.parameters) for _ in range(count)]
        self.copies = [Copy(self._serve(views)) for views in self.gradients]

    def fit(self, model: Any, batch: Any, count: int, known: bool) -> bool:
        """Whether they hold ``model`` as it is, know such a batch, and are enough.

        ``known`` says that its contents are unchanged; else its modules and tensors are compared.
        """
        if not known:
            before, self.contents, told = self.contents, Contents(model), _told(model)
            same = len(told) == len(self.told) and all(map(is_, told, self.told))
            known = same and self.contents.modes == before.modes
        return known and len(self.copies) >= count and self.kind == _kind(self.told, batch)

    def ask(self, parts: list[tuple[Any, float]]) -> None:
        """Set them to work on their parts, with the weights as they are now."""
        for tensor, view in zip(self.told, self.weights, strict=True):
            view[...] = tensor.data
        self.asked = len(parts)
        for copy, (part, share) in zip(self.copies, parts):
            copy.ask([np.array(share), *map(np.asarray, flatten(part)[0])])

    def answers(self) -> Iterator[Found]:
        """What each has found, in the order of the parts."""
        for copy, views in zip(self.copies[: self.asked], self.gradients):
            value, has = copy.answer()
            found = zip(self.parameters, views, has, strict=True)
            yield value[()], {p.node: view for p, view, there in found if there}

    def _serve(self, views: list[np.ndarray]) -> Callable[[list], list[np.ndarray]]:
        def serve(asked: list[np.ndarray]) -> list[np.ndarray]:
            share, *part = asked
            for tensor, weights in zip(self.told, self.weights, strict=True):
                tensor.data = weights
            value, found = swept(self.loss, self.model, self.build(part), float(share))
            nodes = [parameter.node for parameter in self.parameters]
            if found.keys() - set(nodes):
                raise ValueError("expected gradients of the model's parameters alone, got more")
            for node, view in zip(nodes, views, strict=True):
                if node in found:
                    view[...] = found[node]
            return [np.asarray(value), np.array([node in found for node in nodes])]

        return serve


def _told(model: Any) -> list[Tensor]:
    """What the others are told before each step."""
    return [*model.parameters(), *(buffer for _, buffer in model.named_buffers())]


def _kind(told: list[Tensor], batch: Any) -> list:
    """What they cannot be told: shapes, what is trained, the batch's tree."""
    leaves, build = flatten(batch)
    tensors = [(t.data.shape, t.data.dtype, t.requires_grad) for t in told]
    return [*tensors, build(list(range(len(leaves))))]


class Contents:
    """The attributes of a model and of all that hangs on it, to be compared one by one.

    To ask whether they are the very same objects takes a tenth of collecting its tensors.
    """

    def __init__(self, model: Any):
        self.model, self.holders, self.modes, seen = model, [], [], set()
        waiting: list[Any] = [model]
        while waiting:
            holder = waiting.pop()
            if isinstance(holder, Module):
                self.modes.append((id(holder), holder.training))
                holder = vars(holder)
            if id(holder) not in seen and isinstance(holder, (dict, list, tuple)):
                seen.add(id(holder))
                self.holders.append((holder, _values(holder)))
                waiting += self.holders[-1][1]

    def unchanged(self, model: Any) -> bool:
        """Whether every attribute, and every item of a list or dictionary, is what it was."""
        if not isinstance(model, Module) or model is not self.model:
            return False
        now = ((_values(holder), values) for holder, values in self.holders)
        return all(len(one) == len(two) and all(map(is_, one, two)) for one, two in now)


def _values(holder: Any) -> list:
    """What it holds, and under which keys."""
    return [*holder.values(), *holder] if isinstance(holder, dict) else list(holder)
