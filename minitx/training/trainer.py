"""The Trainer: the loop around loss, backward and step, with what a long run needs beside it."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from minitx.autograd.tensor import Tensor
from minitx.nn.module import Module
from minitx.training.batches import Cycle
from minitx.training.checkpoints import load_checkpoint, save_checkpoint
from minitx.training.clipping import clip_norm
from minitx.training.optimiser import Optimiser
from minitx.training.schedules import Schedule, constant

Loss = Callable[[Module, Any], Tensor]


class NonFiniteLoss(FloatingPointError):
    """The loss or its gradient is NaN or infinite: going on would lose the weights."""


class Trainer:
    """Trains ``model`` on ``batches`` until ``train`` has come to the step that it is asked for.

    loss: called as ``loss(model, batch)``; a Tensor of one entry. Each step adds up the gradients
    of ``accumulate`` batches (their mean), cuts their norm to ``clip``, and scales the learning
    rate by ``schedule(step)``. Callbacks are called with the trainer after each step. ``batches``
    is a sequence (taken round and round) or an iterator without end.

    ``history`` has "step", "loss" and "norm" (of the gradient, before clipping), a number a step.
    A checkpoint holds all that a run depends on, if batches are a sequence or have a
    ``state_dict``, or draw their randomness from a generator among ``generators``.
    """

    def __init__(
        self,
        model: Module,
        optimiser: Optimiser,
        batches: Iterable[Any],
        loss: Loss,
        *,
        schedule: Schedule | None = None,
        clip: float = math.inf,
        accumulate: int = 1,
        callbacks: Sequence[Callable[["Trainer"], None]] = (),
        generators: dict[str, Any] | None = None,
    ):
        if accumulate < 1:
            raise ValueError(f"Trainer expected accumulate of 1 or more, got {accumulate}")
        self.model, self.optimiser, self.loss = model, optimiser, loss
        self.batches = batches if isinstance(batches, Iterator) else Cycle(batches)
        self.schedule, self.clip, self.accumulate = schedule or constant(), clip, accumulate
        self.callbacks, self.generators = list(callbacks), dict(generators or {})
        self.step, self.saved = 0, None
        self.history: dict[str, list] = {"step": [], "loss": [], "norm": []}

    def train(self, steps: int) -> dict[str, list]:
        """Go on until step number ``steps`` has been made; returns the history."""
        self.model.train()
        while self.step < steps:
            loss = self._gradients()
            norm = clip_norm(self.optimiser.parameters(), self.clip)
            self._expect_finite(loss, norm)
            self.optimiser.step(self.schedule(self.step))
            self.optimiser.zero_grad()
            self.step += 1
            for name, value in (("step", self.step), ("loss", loss), ("norm", norm)):
                self.history[name].append(value)
            for callback in self.callbacks:
                callback(self)
        return self.history

    def _gradients(self) -> float:
        """Add up the gradients of the next batches; returns their mean loss."""
        self.optimiser.zero_grad()
        total = 0.0
        for _ in range(self.accumulate):
            batch = next(self.batches, None)
            if batch is None:
                raise ValueError(f"the batches ran out after step {self.step}")
            loss = self.loss(self.model, batch) / self.accumulate
            loss.backward()
            total += loss.item()
        return total

    def _expect_finite(self, loss: float, norm: float) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            return
        self.optimiser.zero_grad()
        what, value = ("gradient's norm", norm) if math.isfinite(loss) else ("loss", loss)
        kept = "nothing was saved"
        if self.saved is not None:
            kept = "the last checkpoint is of step {} in {}".format(*self.saved)
        raise NonFiniteLoss(
            f"the {what} is {value} at step {self.step + 1}; "
            f"stopped before it changed the weights; {kept}"
        )

    def save(self, folder: str | Path) -> None:
        """Write a checkpoint from which ``resume`` goes on bit for bit."""
        extra = {"history": self.history}
        if hasattr(self.batches, "state_dict"):
            extra["batches"] = self.batches.state_dict()
        save_checkpoint(
            self.model, folder, self.optimiser,
            step=self.step, generators=self.generators, extra=extra,
        )  # fmt: skip
        self.saved = (self.step, str(folder))

    def resume(self, folder: str | Path) -> int:
        """Take over a checkpoint of a trainer made as this one was; returns its step."""
        found = load_checkpoint(self.model, folder, self.optimiser, generators=self.generators)
        if "batches" in found["extra"]:
            self.batches.load_state_dict(found["extra"]["batches"])
        self.step = found["step"]
        self.history = found["extra"].get("history", self.history)
        self.saved = (self.step, str(folder))
        return self.step

    def plot(self) -> Any:
        """The loss against the step, as a figure."""
        from minitx import plot

        return plot.loss_curves({"training": (self.history["step"], self.history["loss"])})
