"""A training step as one CUDA graph: everything that it asks of the GPU, asked again at once.

A small model's step is hundreds of small kernels, and Python takes longer to ask for one than the
GPU to run it. A step of fixed shapes asks for the same kernels on the same memory every time, so it
is recorded once and replayed. Nothing of Python runs in a replay; so what changes from step to step
has to be on the device: the batch is copied into the arrays that the step was recorded with, and
the factor of the learning rate and the number of the update are read by the optimiser's kernel.
"""

from __future__ import annotations

from collections.abc import Callable
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
    weights, the optimiser's state and the model's are as before until the first call.

    Captured is what the GPU was asked for, once: the optimiser's options, and every decision that
    Python made, stay as they were. So whatever draws random numbers on the host (dropout) is
    refused, and targets or ids out of range are no longer errors: such a target gives a loss of
    NaN. What reads the device on the way fails: clipping the gradient's norm, a mask of padding or
    of the positions that count.

    Raises ValueError for a model that is not on a GPU, one that draws random numbers, or a batch
    of other shapes; TypeError for an optimiser other than Adam and AdamW, whose rate would stay.
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

        def step() -> Any:
            optimiser.zero_grad()
            value = loss(model, build([wrap(x, None) for x in self.inputs]))
            value.backward()
            optimiser.step()
            optimiser.zero_grad()
            self.clock[1] += float(self.device.capturing)  # a warm run is no update
            return value.data

        held = _State(model, optimiser)
        outer, self.device.clock = self.device.clock, self.clock
        try:
            self.recording = self.device.record(step, warm)
            self.advance = held.counted()
            self.clock[1] = -warm  # it was captured as the update after the warm ones
        finally:
            self.device.clock = outer
            held.put_back()

    def __call__(self, batch: Any, scale: float = 1.0) -> Tensor:
        leaves, _ = flatten(batch)
        given = [as_array(leaf) for leaf in leaves]
        shapes, expected = ([x.shape for x in arrays] for arrays in (given, self.inputs))
        if shapes != expected:
            raise ValueError(f"the step was captured for arrays of {expected}, got {shapes}")
        for held, new in zip(self.inputs, given, strict=True):
            held[...] = self.device.xp.asarray(new)
        if scale != self.scale:
            self.clock[0], self.scale = scale, scale
        value = self.recording.launch()
        for flat, counts in self.advance:
            flat.counts = [old + more for old, more in zip(flat.counts, counts, strict=True)]
        for parameter in self.optimiser.parameters():
            parameter.changed()
        return wrap(value, None)


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


class _State:
    """What the runs before a capture change: held, and put back."""

    def __init__(self, model: Module, optimiser: Optimiser):
        self.flats = [flat for group in optimiser.groups for flat in group.flats]
        arrays = [array for flat in self.flats for array in (flat.data, *flat.slots.values())]
        arrays += [buffer.data for _, buffer in model.named_buffers()]
        self.arrays = [(array, array.copy()) for array in arrays]
        self.counts = [list(flat.counts) for flat in self.flats]

    def counted(self) -> list[tuple[Any, list[int]]]:
        """For each buffer: which parameters one step updates."""
        return [
            (flat, [int(new > old) for new, old in zip(flat.counts, counts, strict=True)])
            for flat, counts in zip(self.flats, self.counts, strict=True)
        ]

    def put_back(self) -> None:
        for array, old in self.arrays:
            array[...] = old
        for flat, counts in zip(self.flats, self.counts, strict=True):
            flat.counts = counts
