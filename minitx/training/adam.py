"""Adam and AdamW: each number moves by its mean gradient over the gradient's typical size."""

import math
from typing import Any

from minitx import backend
from minitx.training.optimiser import Optimiser


class Adam(Optimiser):
    """p - lr m' / (sqrt(v') + eps), with running means m of g and v of g^2, and g + weight_decay p.

    m = beta1 m + (1 - beta1) g and m' = m / (1 - beta1^t), so that the first means are not too
    small; v the same with beta2 and g^2. The decay goes through the means (AdamW's does not).

    Source: Kingma and Ba, "Adam" (2015): alpha = lr, m-hat = m', v-hat = v'.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, p, g, slots, work, options, count):
        if options["weight_decay"]:
            g = g + options["weight_decay"] * p
        move(p, g, *slots, work, options, count)


class AdamW(Adam):
    """Adam whose decay is apart: p (1 - lr weight_decay) - lr m' / (sqrt(v') + eps).

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019): lambda =
    weight_decay.
    """

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def update(self, p, g, slots, work, options, count):
        move(p, g, *slots, work, options, count, options["weight_decay"])


def move(
    p: Any, g: Any, mean: Any, square: Any, work: Any, options: dict, count: int, decay: float = 0.0
) -> None:
    """Adam's update in place, in nine passes, after p (1 - lr decay); on a GPU in one.

    ``mean`` and ``square`` hold m / (1 - beta1) and v / (1 - beta2), which takes a pass off each
    of their updates; the constants come together again in the size of the step.
    """
    kernels = backend.kernels_of(p)
    if kernels is not None and kernels.adam(p, g, mean, square, options, count, decay):
        return
    if decay:
        p *= 1 - options["lr"] * decay
    xp, (beta1, beta2) = backend.namespace(p), options["betas"]
    mean *= beta1
    mean += g
    square *= beta2
    xp.multiply(g, g, out=work)
    square += work
    root = math.sqrt((1 - beta2) / (1 - beta2**count))  # sqrt(v') = root sqrt(square)
    size = options["lr"] * (1 - beta1) / (1 - beta1**count) / root
    xp.sqrt(square, out=work)
    work += options["eps"] / root
    xp.divide(mean, work, out=work)
    work *= size
    p -= work
