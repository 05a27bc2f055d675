"""A training step as one CUDA graph: everything that it asks of the GPU, asked again at once.

A small model's step is hundreds of small kernels, and Python takes longer to ask for one than the
GPU to run it. A step of fixed shapes asks for the same kernels on the same memory every time, so it
is recorded once and replayed. Nothing of Python runs in a replay; so what changes from step to step
has to be on the device: the batch is copied into the arrays that the step was recorded with, and
the factor of the learning rate and the number of the update are read by the optimiser's kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor, as_array, wrap
from minitx.autograd.tree import flatten
from minitx.nn.module import Module
from minitx.training.adam import Adam
from minitx.training.optimiser import Optimiser


class CapturedStep:
    """``step = CapturedStep(model, optimiser, loss, batch)``; then ``step(batch, scale)`` trains.

    ``loss(model, batch)`` gives a Tensor of one entry; ``batch`` is a tree of arrays whose shapes
    all later batches have. ``scale`` is what a schedule says of the learning rate. A call gives
    the loss, a Tensor on the GPU that the next call overwrites; reading it waits for the GPU. The
    weights, the optimiser's state and the model's are as before until the first call. Between calls
    they may be loaded or assigned, and trained by ordinary steps: the next call goes on from there.

    Captured is what the GPU was asked for, once: the optimiser's options, and every decision that
    Python made, stay as they were. So whatever draws random numbers on the host (dropout) is
    refused, and targets or ids out of range are no longer errors: such a target gives a loss of
    NaN. What reads the device on the way fails: clipping the gradient's norm, a mask of padding or
    of the positions that count.

    Raises ValueError for a model that is not on a GPU, one that draws random numbers, or a batch
    of other shapes; TypeError for an optimiser other than Adam and AdamW, whose rate would stay;
    RuntimeError when the model has been moved since, or its parameters not updated equally often.
    """

    def __init__(
        self,
        model: Module,
        optimiser: Optimiser,
        loss: Callable[[Module, Any], Tensor],
        batch: Any,
        *,
        warm: int = 2,
    ):
        self.device = _device(model, optimiser)
        self.optimiser, xp = optimiser, self.device.xp
        leaves, build = flatten(batch)
        self.inputs = [xp.array(xp.asarray(as_array(leaf))) for leaf in leaves]
        self.clock, self.scale = xp.ones(2, dtype=xp.float64), 1.0
        self.clock[1] = 0
        memory = self.memory = _Memory(model, optimiser)

        def step() -> Any:
            optimiser.zero_grad()
            value = loss(model, build([wrap(x, None) for x in self.inputs]))
            value.backward()
            optimiser.step()
            optimiser.zero_grad()
            memory.settle()  # a buffer's new numbers belong where the next replay reads them
            self.clock[1] += float(self.device.capturing)  # a warm run is no update
            return value.data

        before = _State(memory)
        outer, self.device.clock = self.device.clock, self.clock
        try:
            self.recording = self.device.record(step, warm)
            self.updated = before.updated()
            self.clock[1] = -warm  # it was captured as the update after the warm ones
        finally:
            self.device.clock = outer
            before.put_back()
        self.counts = memory.counts()

    def __call__(self, batch: Any, scale: float = 1.0) -> Tensor:
        leaves, _ = flatten(batch)
        given = [as_array(leaf) for leaf in leaves]
        shapes, expected = ([x.shape for x in arrays] for arrays in (given, self.inputs))
        if shapes != expected:
            raise ValueError(f"the step was captured for arrays of {expected}, got {shapes}")
        self._catch_up()
        for held, new in zip(self.inputs, given, strict=True):
            held[...] = self.device.xp.asarray(new)
        if scale != self.scale:
            self.clock[0], self.scale = scale, scale
        value = self.recording.launch()
        for flat, updated in zip(self.memory.flats, self.updated, strict=True):
            flat.counts = [old + more for old, more in zip(flat.counts, updated, strict=True)]
        self.counts = self.memory.counts()
        for parameter in self.optimiser.parameters():
            parameter.changed()
        return wrap(value, None)

    def _catch_up(self) -> None:
        """Take over what has been loaded, assigned or updated since the last call."""
        counts = self.memory.counts()
        if counts != self.counts:
            triples = zip(
                *map(chain.from_iterable, (counts, self.counts, self.updated)), strict=True
            )
            missed = {new - old for new, old, updated in triples if updated}
            if len(missed) > 1:
                raise RuntimeError(
                    "since the last call the parameters of a captured step have been updated "
                    f"{min(missed)} to {max(missed)} times, expected all equally often: "
                    "capture the step anew"
                )
            self.clock[1] += float(max(missed, default=0))
            self.counts = counts
        self.memory.settle()


def _device(model: Module, optimiser: Optimiser) -> Any:
    """The kernels of the model's device, if its step can be captured."""
    devices = {backend.kernels_of(parameter.data) for parameter in model.parameters()}
    if len(devices) != 1 or None in devices:
        raise ValueError('CapturedStep expected a model on a GPU: model.to("cuda")')
    if not isinstance(optimiser, Adam):
        raise TypeError(f"CapturedStep expected Adam or AdamW, got {type(optimiser).__name__}")
    drawing = next((name for name, _ in model.named_generators()), None)
    if drawing is not None:
        raise ValueError(f"a captured step cannot draw random numbers, got a model with {drawing}")
    return devices.pop()


class _Memory:
    """Where a captured step reads and writes: the optimiser's buffers, the model's other arrays.

    Loading and assigning give a Tensor a new array, of which a replay knows nothing.
    """

    def __init__(self, model: Module, optimiser: Optimiser):
        self.flats = [flat for group in optimiser.groups for flat in group.flats]
        trained = {id(parameter) for parameter in optimiser.parameters()}
        tensors = [*model.parameters(), *(buffer for _, buffer in model.named_buffers())]
        self.others = [(tensor, tensor.data) for tensor in tensors if id(tensor) not in trained]
        self.settle()

    def settle(self) -> None:
        """Bring the numbers of arrays that have been replaced to where the old ones lie."""
        for flat in self.flats:
            flat.adopt()
        for tensor, place in self.others:
            if tensor.data is not place:
                expected, got = (_kind(array) for array in (place, tensor.data))
                if got != expected:
                    raise RuntimeError(f"a captured step expected {expected}, got {got}")
                place[...] = tensor.data
                tensor.data = place

    def counts(self) -> list[list[int]]:
        """How often each parameter has been updated, buffer by buffer."""
        return [list(flat.counts) for flat in self.flats]


def _kind(array: Any) -> str:
    return f"{backend.device_of(array)} {array.dtype} {array.shape}"


class _State:
    """What the runs before a capture change: held, and put back."""

    def __init__(self, memory: _Memory):
        self.memory, self.counts = memory, memory.counts()
        arrays = [array for flat in memory.flats for array in (flat.data, *flat.slots.values())]
        arrays += [place for tensor, place in memory.others if tensor.role == "buffer"]
        self.arrays = [(array, array.copy()) for array in arrays]

    def updated(self) -> list[list[bool]]:
        """Which parameters a step updates, buffer by buffer."""
        pairs = zip(self.memory.counts(), self.counts, strict=True)
        return [[new > old for new, old in zip(*pair, strict=True)] for pair in pairs]

    def put_back(self) -> None:
        for tensor, place in self.memory.others:
            tensor.data = place
        for array, old in self.arrays:
            array[...] = old
        for flat, counts in zip(self.memory.flats, self.counts, strict=True):
            flat.counts = counts
