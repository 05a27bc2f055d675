"""Algorithms for regression, written as layers, that the battery walks."""

import numpy as np

from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import D_MODEL
from minitx.contracts.construction import Construction
from minitx.contracts.variants.register import register
from minitx.depth.stack import Loop
from minitx.nn.module import Buffer
from minitx.programs.regression import Fields, descent_layer

EXAMPLES, STEPS = 64, 3


class Descent(Construction):
    """Three steps of preconditioned descent; all tokens but the last are examples [x; y].

    The result is x, with what is still unexplained of y in its last place.
    """

    def __init__(self, rng: np.random.Generator):
        self.step = Buffer(0.5 * rng.standard_normal((D_MODEL - 1, D_MODEL - 1)))
        fields = Fields(x=D_MODEL - 1, r=1)
        self.loop = Loop(descent_layer(fields, self.step.numpy(), EXAMPLES), STEPS)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        heard = np.arange(x.shape[1]) < x.shape[1] - 1
        return self.loop(x, Context.of(x, valid=np.broadcast_to(heard, x.shape[:2])))

    def oracle(self, x: np.ndarray) -> np.ndarray:
        inputs, rest = x[..., :-1], x[..., -1]
        for _ in range(STEPS):
            push = np.einsum("btd,bt->bd", inputs[:, :-1], rest[:, :-1]) / EXAMPLES
            rest = rest - np.einsum("btd,de,be->bt", inputs, self.step.numpy(), push)
        return np.concatenate([inputs, rest[..., None]], axis=-1)


register(
    "construction",
    "gradient descent in a loop",
    "minitx.programs.regression:descent_layer",
    Descent,
)
