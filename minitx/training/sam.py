"""SAM: follow the gradient of the worst place nearby, so that training ends where it is flat."""

from collections.abc import Callable
from typing import Any

from minitx.autograd.tensor import Tensor
from minitx.training.clipping import global_norm
from minitx.training.optimiser import Optimiser


class SAM:
    """An optimiser around another: it steps with the gradient taken at p + rho g / |g|.

    ``step(closure)`` calls ``closure()``, which returns the loss, twice: here, and at the worst
    place within ``rho``. Then it puts the parameters back, bit for bit, and lets ``optimiser``
    step. |g| is the norm over all parameters. (It computes gradients itself: the loop is yours, not
    the Trainer's.)

    Source: Foret et al., "Sharpness-Aware Minimization" (2021): epsilon-hat = rho g / |g|.
    """

    def __init__(self, optimiser: Optimiser, rho: float = 0.05):
        if not rho > 0:
            raise ValueError(f"SAM expected rho > 0, got {rho}")
        self.optimiser, self.rho = optimiser, rho

    def step(self, closure: Callable[[], Tensor], scale: float = 1.0) -> Tensor:
        """One update; returns the loss at the parameters from which it set out."""
        self.optimiser.zero_grad()
        loss = closure()
        loss.backward()
        moved = [p for p in self.optimiser.parameters() if p.grad is not None]
        before = [p.data.copy() for p in moved]
        size = self.rho / (global_norm(moved) or 1.0)
        try:
            for p in moved:
                p.data += size * p.node.grad
                p.changed()
            self.optimiser.zero_grad()
            closure().backward()
        finally:
            for p, data in zip(moved, before, strict=True):
                p.data[...] = data
                p.changed()
        self.optimiser.step(scale)
        self.optimiser.zero_grad()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimiser within: SAM has none."""
        return self.optimiser.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state of the optimiser within."""
        self.optimiser.load_state_dict(state)

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise ValueError unless ``state`` is that of the optimiser within."""
        self.optimiser.check_state(state)
