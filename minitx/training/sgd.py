"""Stochastic gradient descent, with momentum."""

from typing import Any

from minitx import backend
from minitx.training.optimiser import Optimiser


class SGD(Optimiser):
    """p - lr b with the velocity b = momentum b + g, and g + weight_decay p for g.

    ``nesterov`` goes on by g + momentum b instead of b: the gradient is looked at where the
    velocity is about to lead. Without momentum b = g.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning"
    (2013): mu = momentum; in PyTorch's form, where lr is outside the velocity.
    """

    slots = ("velocity",)

    def __init__(
        self,
        parameters: Any,
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        self.slots = SGD.slots if momentum else ()
        options = dict(lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        super().__init__(parameters, **options)
        moving = [bool(group.options["momentum"]) for group in self.groups]
        if any(moving) and not momentum:
            raise ValueError("expected momentum > 0 for all, if one group is to have it")
        if nesterov and not all(moving):
            raise ValueError("SGD expected momentum > 0 with nesterov=True, got 0")

    def update(self, p, g, slots, work, options, count):
        if options["weight_decay"]:
            g = g + options["weight_decay"] * p
        if slots:
            (velocity,) = slots
            velocity *= options["momentum"]
            velocity += g
            g = g + options["momentum"] * velocity if options["nesterov"] else velocity
        backend.namespace(p).multiply(g, options["lr"], out=work)
        p -= work
