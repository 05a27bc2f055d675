"""Linear attention with weights by hand: one layer is one step of an algorithm for regression.

A token is a row of numbers with named fields. Example i has x_i in one field and, in another, what
is still unexplained of y_i; the question has x_q and 0. Without a softmax a head gives

    sum_i (asks . shows_i) tells_i,

which is a matrix made of the examples, applied to what is asked: the gradient of a regression.
"""

from collections.abc import Sequence

import numpy as np

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import Residual
from minitx.depth.stack import Stack
from minitx.nn.module import Buffer
from minitx.programs.wiring import Head
from minitx.token_mixers.linear_attention import LinearAttention, Readout


class Fields:
    """Names for pieces of a token: ``Fields(x=3, r=1)`` is four numbers wide."""

    def __init__(self, **widths: int):
        ends = np.cumsum([0, *widths.values()]).tolist()
        self.width, self.places = ends[-1], dict(zip(widths, zip(ends, ends[1:])))

    def __getitem__(self, name: str) -> slice:
        return slice(*self.places[name])

    def rows(self, name: str) -> np.ndarray:
        """The matrix (k, width) that reads a field off a token."""
        return np.eye(self.width)[self[name]]


def linear_heads(heads: Sequence[Head]) -> Block:
    """The layer x + sum of these heads, without a softmax: sum_i (asks . shows_i) tells_i."""
    width = heads[0].query.shape[1]
    d_head = max(len(matrix) for head in heads for matrix in head)
    mixer = LinearAttention(
        width, len(heads), d_head, feature_map=lambda x: x, readout=Readout(), bias=False, rng=0
    )
    padded = [[np.pad(m, ((0, d_head - len(m)), (0, 0))) for m in head] for head in heads]
    queries, keys, values, to = zip(*padded)
    mixer.qkv.weight = Buffer(np.concatenate([*queries, *keys, *values]))
    mixer.out.weight = Buffer(np.concatenate(to).T)
    return Block(mixer, norm=None, connection=Residual())


def descent_layer(fields: Fields, step: np.ndarray, num_examples: int, x: str = "x") -> Block:
    """A layer that takes one step of gradient descent: r_j <- r_j - x_j . A (1/n) sum_i x_i r_i.

    With r = y - X w that is w <- w + A (1/n) sum_i x_i (y_i - w . x_i), seen from the tokens. The
    question's r begins at 0 and becomes minus the prediction. A is ``step`` (d, d); x names its
    field. Questions must not be heard: give the layer a Context with ``valid``.

    Source: Gatmiry et al., "Can Looped Transformers Learn to Implement Multi-step Gradient Descent
    for In-context Learning?" (2024): their A is ours, n = num_examples.
    """
    read, r = fields.rows(x), fields.rows("r")
    step = np.asarray(step)
    if step.shape != (len(read), len(read)):
        raise ValueError(f"expected a step ({len(read)}, {len(read)}), got {step.shape}")
    return linear_heads([Head(step.T @ read, read, r, -r / num_examples)])


def perceptron_layers(
    fields: Fields, names: Sequence[str], weights: Sequence, slope: float
) -> Stack:
    """Layers that fill the fields names[1], names[2], ... each from the one before it.

    W_l is weights[l], and max(z, slope z) comes after it. The fields must be 0 before.
    """
    layers = []
    for before, after, weight in zip(names, names[1:], weights, strict=False):
        read, write = weight @ fields.rows(before), fields.rows(after)
        layers.append(_units(read, write, lambda z: F.maximum(z, slope * z)))
    return Stack(layers)


def answer(fields: Fields) -> Block:
    """The last layer: the question's r is minus the prediction, so r <- -r, with two units."""
    r = fields.rows("r")
    return _units(np.concatenate([r, -r]), np.concatenate([-2 * r, 2 * r]), F.relu)


def _units(read: np.ndarray, write: np.ndarray, activation) -> Block:
    """x + write^T activation(read x), for every token alone."""
    mixer = MLP(read.shape[1], len(read), activation, bias=False, rng=0)
    mixer.up.weight, mixer.down.weight = Buffer(read), Buffer(write.T)
    return Block(mixer, norm=None, connection=Residual())


# ------------------------------------------------------------------------- Newton's iteration


def newton_fields(d: int) -> Fields:
    """x: what an example shows. e, m: column j of the identity and of M, in scratch token j."""
    return Fields(x=d, e=d, m=d, v=d, r=1)


def newton_body(fields: Fields, num_examples: int) -> Stack:
    """Two layers: M <- 2 M - M S M with S = (1/n) sum_i x_i x_i^T, M by columns in d tokens.

    The first puts S m_j into v_j; the second adds m_j - M v_j to m_j, and wipes v_j.
    """
    x, e, m, v = (fields.rows(name) for name in ("x", "e", "m", "v"))
    return Stack(
        [
            linear_heads([Head(m, x, x, v / num_examples)]),
            linear_heads([Head(v, e, m, -m), Head(e, e, m, m), Head(e, e, v, -v)]),
        ]
    )


def newton_answer(fields: Fields, num_examples: int) -> Stack:
    """Two layers: the question's v becomes M x_q, its r the prediction (1/n) sum_i y_i x_i . v."""
    x, e, m, v, r = (fields.rows(name) for name in ("x", "e", "m", "v", "r"))
    return Stack(
        [linear_heads([Head(x, e, m, v)]), linear_heads([Head(v, x, r, r / num_examples)])]
    )


def newton_tokens(x: np.ndarray, y: np.ndarray, scale: float) -> tuple[Tensor, np.ndarray, Fields]:
    """d scratch tokens with M = scale I, the examples, the question last; who is heard; the fields.

    x (B, N, d), y (B, N), whose last is not used.
    """
    batch, pairs, d = x.shape
    fields = newton_fields(d)
    tokens = np.zeros((batch, d + pairs, fields.width), x.dtype)
    tokens[:, :d, fields["e"]] = np.eye(d)
    tokens[:, :d, fields["m"]] = scale * np.eye(d)
    tokens[:, d:, fields["x"]] = x
    tokens[:, d:-1, fields["r"]] = y[:, :-1, None]
    heard = np.ones(tokens.shape[:2], bool)
    heard[:, -1] = False
    return Tensor(tokens, dtype=x.dtype), heard, fields
