"""Lion: every number moves by the same length, in the direction that the gradients agree on."""

from typing import Any

from minitx import backend
from minitx.training.optimiser import Optimiser


class Lion(Optimiser):
    """p (1 - lr weight_decay) - lr sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g.

    One buffer where Adam has two. Its lr is usually a third to a tenth of AdamW's.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023): eta = lr, lambda =
    weight_decay.
    """

    slots = ("mean",)

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr=lr, betas=betas, weight_decay=weight_decay)

    def update(self, p, g, slots, work, options, count):
        (mean,), (beta1, beta2), lr = slots, options["betas"], options["lr"]
        xp = backend.namespace(p)
        xp.subtract(mean, g, out=work)
        work *= beta1
        work += g  # beta1 mean + (1 - beta1) g
        xp.sign(work, out=work)
        work *= lr
        p *= 1 - lr * options["weight_decay"]
        p -= work
        xp.subtract(mean, g, out=work)
        work *= beta2
        xp.add(work, g, out=mean)
