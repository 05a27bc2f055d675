"""A computer made of a transformer: one instruction, three blocks, and a loop around them.

The instruction is SUBLEQ a, b, c: mem[b] -= mem[a]; if the result is <= 0 go to c, else go on.
Every weight is written by hand and none depends on the program, which is the machine's input.

    fetch:   the scratchpad looks up the instruction at pc           attention, round
    compute: it looks up mem[a] and mem[b], subtracts, counts        attention, round, arithmetic
    store:   column b takes the difference, pc moves on              attention, round and choose

Source: Giannou et al., "Looped Transformers as Programmable Computers" (2023): lambda = sharpness,
p_i = code. The layers here are our own, and fewer: steps that need not wait share one.
"""

import hashlib
from collections.abc import Callable

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.connections.residual import Residual
from minitx.context import Context
from minitx.programs.layout import Layout
from minitx.programs.wiring import Head, Neurons, attention

Tidy = Callable[[Neurons, np.ndarray, np.ndarray, np.ndarray], None]


class SubleqMachine(nn.Module):
    """One cycle: the state (B, n, D) before an instruction -> the state after it.

    sharpness: by how much the score of the address that is meant leads that of its nearest
    neighbour. tidy: what is done to bits that attention has read, ``rounded`` or ``copied``.
    ``Loop(machine, times)`` runs a program.
    """

    def __init__(
        self, layout: Layout | None = None, sharpness: float = 16.0, tidy: Tidy | None = None
    ):
        self.layout = layout or Layout()
        tidy = tidy or rounded
        self.blocks = [
            _block(attention(fetch(self.layout, sharpness)), keep_fetched(self.layout, tidy)),
            _block(
                attention(load(self.layout, sharpness)),
                keep_loaded(self.layout, tidy),
                arithmetic(self.layout),
            ),
            _block(attention(store(self.layout, sharpness)), finish(self.layout, tidy)),
        ]

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x, ctx)
        return x

    def fingerprint(self) -> str:
        """A hash of every weight: two machines that agree in it are the same machine."""
        digest = hashlib.sha256()
        for name, weight in sorted(self.state_dict().items()):
            digest.update(f"{name} {weight.dtype} {weight.shape}".encode() + weight.tobytes())
        return digest.hexdigest()


def _block(attention: nn.Module, *neurons: Neurons) -> Block:
    mixers = [each.mlp() for each in neurons]
    return Block(attention, *mixers, norm=lambda: None, connection=Residual())


# --------------------------------------------------------------------- attention: reading, writing


def fetch(at: Layout, sharpness: float) -> list[Head]:
    """The scratchpad finds the column whose code is its pc, and hears the instruction there.

    Codes that differ in h bits have the inner product a - 2h, so half of it leads by 1 a bit.
    """
    find = sharpness / 2 * at.rows("pc")
    return [Head(find, at.rows("code"), at.rows("instruction"), at.rows("a", "b", "c"))]


def load(at: Layout, sharpness: float) -> list[Head]:
    """Two heads: mem[a] comes to x, mem[b] to y."""
    return [
        Head(sharpness / 2 * at.rows(address), at.rows("code"), at.rows("word"), at.rows(to))
        for address, to in (("a", "x"), ("b", "y"))
    ]


def store(at: Layout, sharpness: float) -> list[Head]:
    """Every column of memory looks for its own code: at b in the scratchpad, or else at home.

    Both would have the score a. One more for the scratchpad puts it ahead by 1 where the addresses
    are equal, and leaves it behind by 1 where they differ in a bit.
    """
    query = np.concatenate([at.rows("code"), at.rows("memory")])
    key = np.concatenate([at.rows("code") + at.rows("b"), at.rows("scratch")])
    return [Head(sharpness * query, key, at.rows("word") + at.rows("difference"), at.rows("new"))]


# ----------------------------------------------------------------------- hidden units: what is kept


def rounded(neurons: Neurons, read: np.ndarray, to: np.ndarray, gate: np.ndarray) -> None:
    """Write the signs of the rows ``read`` to the rows ``to`` in columns that ``gate`` marks."""
    for source, target in zip(read, to):
        neurons.step(source + _GATE * gate, -_GATE, 2 * target)
    neurons.add(gate, 0.0, -to.sum(0))  # steps of 0 or 2 become bits of -1 or 1


def copied(neurons: Neurons, read: np.ndarray, to: np.ndarray, gate: np.ndarray) -> None:
    """The same without rounding: the numbers are taken as they were read."""
    for source, target in zip(read, to):
        neurons.add(source + _GATE * gate, -_GATE, target)
        neurons.add(-source + _GATE * gate, -_GATE, -target)


_GATE = 8.0  # more than bits can make: without its mark a column stays below every step


def keep_fetched(at: Layout, tidy: Tidy) -> Neurons:
    """The address bits that were fetched, in the scratchpad; elsewhere nothing."""
    return _tidied(at, at.rows("a", "b", "c"), tidy)


def keep_loaded(at: Layout, tidy: Tidy) -> Neurons:
    """The two words, in the scratchpad; elsewhere nothing."""
    return _tidied(at, at.rows("x", "y"), tidy)


def _tidied(at: Layout, rows: np.ndarray, tidy: Tidy) -> Neurons:
    neurons = Neurons(at.width)
    neurons.erase(rows)
    tidy(neurons, rows, rows, at.rows("scratch")[0])
    return neurons


# --------------------------------------------------------------------------- hidden units: counting


def arithmetic(at: Layout) -> Neurons:
    """difference = y - x, flag = (difference <= 0), next = pc + 1; in the scratchpad."""
    neurons, scratch = Neurons(at.width), at.rows("scratch")[0]
    x, y, pc = at.rows("x"), at.rows("y"), at.rows("pc")

    def count(total: np.ndarray, bias: float, steps: dict[int, int], effect: np.ndarray) -> None:
        """effect * (sum of the signs of the steps that the whole number ``total`` has reached)."""
        most = 4.0 * 2 ** max(at.word_bits, at.address_bits)
        for threshold, sign in steps.items():
            reading, shift = total + most * scratch, bias - most - threshold + 0.5
            neurons.step(reading, shift, sign * effect)

    for j, to in enumerate(at.rows("difference")):
        total = _weighted(y - x, j)  # of y + (not x) + 1 up to bit j, less the constant 2^(j+1)
        count(total, 2 ** (j + 1), {2**j: 1, 2 * 2**j: -1, 3 * 2**j: 1}, 2 * to)
    top = 2 ** (at.word_bits - 1)  # the sign is set from here on; 2 top is 0, carried over
    reached = {top: 1, 2 * top + 1: -1, 3 * top: 1}
    count(_weighted(y - x, at.word_bits - 1), 2 * top, reached, at.rows("flag")[0])
    for j, to in enumerate(at.rows("next")):
        count(_weighted(pc, j), (2 ** (j + 1) - 1) / 2 + 1, {2**j: 1, 2 * 2**j: -1}, 2 * to)
    neurons.add(scratch, 0.0, -at.rows("difference", "next").sum(0))
    return neurons


def _weighted(rows: np.ndarray, j: int) -> np.ndarray:
    """Half of sum_i<=j 2^i rows[i]: what bits of -1 and 1 are worth, up to a constant."""
    return 2.0 ** np.arange(j + 1) @ rows[: j + 1] / 2


def finish(at: Layout, tidy: Tidy) -> Neurons:
    """word = new in memory; pc = c if flag else next in the scratchpad; the rest is wiped.

    With f of 0 or 1, relu(c + 2f - 1) is c + 1 if f else 0, for a bit c: one of the two survives.
    """
    neurons, flag = Neurons(at.width), at.rows("flag")[0]
    tidy(neurons, at.rows("new"), at.rows("word"), at.rows("memory")[0])
    for jump, onward, pc in zip(at.rows("c"), at.rows("next"), at.rows("pc")):
        neurons.add(jump + 2 * flag, -1.0, pc)
        neurons.add(onward - 2 * flag, 1.0, pc)
        neurons.constant -= pc
    used = ("word", "pc", "a", "b", "c", "x", "y", "difference", "flag", "next", "new")
    neurons.erase(at.rows(*used))
    return neurons
