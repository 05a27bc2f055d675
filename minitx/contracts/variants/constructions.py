"""Constructions that the battery walks, a line each."""

from itertools import islice

import numpy as np

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import D_MODEL
from minitx.contracts.construction import Construction
from minitx.contracts.variants.register import register
from minitx.depth.stack import Loop
from minitx.nn.module import Buffer
from minitx.programs import Layout, Program, SubleqMachine, interpret, load_programs
from minitx.programs import from_bits as integers
from minitx.programs import to_bits as bits
from minitx.token_mixers.conditional_mean import (
    kernel_average_attention,
    mean_embedding_attention,
)


class TiltedMean(Construction):
    """Attention over a bag, keys = values = samples: E[x e^(q x)] / E[e^(q x)] over the bag."""

    def __init__(self, rng: np.random.Generator):
        self.queries = Buffer(0.3 * rng.standard_normal((1, 1, 4, D_MODEL)))

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        bag = F.expand_dims(x, 1)  # (B, 1, T, D)
        queries = F.broadcast_to(self.queries, (x.shape[0], 1, 4, D_MODEL))
        return F.squeeze(F.attention(queries, bag, bag, scale=1.0), 1)  # (B, 4, D)

    def oracle(self, x: np.ndarray) -> np.ndarray:
        tilts = np.exp(np.einsum("qd,btd->bqt", self.queries.numpy()[0, 0], x))
        return np.einsum("bqt,btd->bqd", tilts, x) / tilts.sum(-1, keepdims=True)


register(
    "construction",
    "attention as a tilted mean",
    "minitx.autograd.fused.attention:attention",
    TiltedMean,
)


class ConditionalMean(Construction):
    """Base: each token asks which value goes with it, E[v | k = x], by one of two estimates."""

    WIDTH, PENALTY = 2.5, 0.3

    def __init__(self, rng: np.random.Generator):
        self.values = Buffer(rng.standard_normal((D_MODEL, D_MODEL)))

    def oracle(self, x: np.ndarray) -> np.ndarray:
        values = np.tanh(x @ self.values.numpy())
        apart = np.square(x[:, :, None] - x[:, None]).sum(-1)  # (B, T, T)
        return self.estimate(np.exp(-apart / (2 * self.WIDTH**2))) @ values

    def estimate(self, kernel: np.ndarray) -> np.ndarray:
        """The weights of the values, from the kernel of all pairs (B, T, T)."""
        raise TypeError(f"{type(self).__name__} does not define estimate")


class KernelRidge(ConditionalMean):
    """k(q, K) (G + penalty)^-1, by a matrix inverse."""

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        v = F.tanh(x @ self.values)
        return mean_embedding_attention(x, x, v, self.WIDTH, self.PENALTY)

    def estimate(self, kernel: np.ndarray) -> np.ndarray:
        return kernel @ np.linalg.inv(kernel + self.PENALTY * np.eye(kernel.shape[-1]))


class KernelAverage(ConditionalMean):
    """k(q, K) over its sum, as softmax attention with one more number in each key."""

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return kernel_average_attention(x, x, F.tanh(x @ self.values), self.WIDTH)

    def estimate(self, kernel: np.ndarray) -> np.ndarray:
        return kernel / kernel.sum(-1, keepdims=True)


register(
    "construction",
    "conditional mean by kernel ridge",
    "minitx.token_mixers.conditional_mean:mean_embedding_attention",
    KernelRidge,
)
register(
    "construction",
    "conditional mean by softmax attention",
    "minitx.token_mixers.conditional_mean:kernel_average_attention",
    KernelAverage,
)


class ComputedSigns(Construction):
    """A computer for each token: the signs of x are a word, and its program makes another of it.

    The result is |x| with the signs of that other word. Programs are random, like weights.
    """

    CYCLES = 6

    def __init__(self, rng: np.random.Generator):
        layout = Layout(address_bits=4, word_bits=D_MODEL)
        code = [(0, 1, 1), *(tuple(row) for row in rng.integers(0, 3, (4, 3)).tolist()), (2, 2, 5)]
        cells = (0, *rng.integers(-(2**11), 2**11, 2).tolist())
        self.program = Program(cells, tuple(code), word_bits=D_MODEL)
        start = load_programs([self.program], layout).numpy()[0]
        start[1, layout["word"]] = 0  # where the token comes in
        self.start, self.rows = Buffer(start), Buffer(layout.rows("word"))
        self.place = Buffer(np.eye(layout.columns)[:, 1:2])
        self.loop = Loop(SubleqMachine(layout), self.CYCLES)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        xp = backend.namespace(x.data)
        signs = xp.where(x.data > 0, 1, -1).astype(x.dtype).reshape(-1, 1, D_MODEL)
        states = self.loop(self.start + self.place @ (Tensor(signs, dtype=x.dtype) @ self.rows))
        words = (states @ F.swapaxes(self.rows, 0, 1))[:, 2]  # (B T, D), of cell 1
        size = F.abs(x)
        return F.where(F.reshape(words, x.shape).data > 0, size, -size)

    def oracle(self, x: np.ndarray) -> np.ndarray:
        found = np.empty(x.shape)
        for place in np.ndindex(x.shape[:2]):
            cells = (int(integers(x[place], signed=True)), *self.program.cells[1:])
            program = Program(cells, self.program.code, word_bits=D_MODEL)
            _, after = next(islice(interpret(program), self.CYCLES, None))
            found[place] = bits(after[1], D_MODEL)
        return np.abs(x) * found


register(
    "construction",
    "a computer for each token",
    "minitx.programs.machine:SubleqMachine",
    ComputedSigns,
)
