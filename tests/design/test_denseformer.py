"""A connection between blocks: each block hears a weighted mean of all that was said before."""

import numpy as np

from minitx import Tensor, nn
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.connections import Connection
from minitx.depth import Stack
from minitx.token_mixers import Causal, MultiHeadAttention


class DenseAverage(Connection):
    """Y_i = sum_j a_ij Z_j over the embedding Z_0 and the outputs Z_j of the blocks so far."""

    def __init__(self, num_blocks):
        self.weights = [nn.Parameter(np.eye(1, i + 2, i + 1)[0]) for i in range(num_blocks)]

    def begin(self, x):
        return [x], x

    def apply(self, state, block, norm, ctx):
        outputs, mean = state
        outputs = [*outputs, block(mean, ctx)]
        a = self.weights[len(outputs) - 2]
        return outputs, sum(a[j] * z for j, z in enumerate(outputs))

    def end(self, state):
        return state[1]


def blocks(rng):
    return [
        Block(
            MultiHeadAttention(6, 2, mask=Causal(), rng=rng),
            MLP(6, 11, rng=rng),
            norm=lambda: nn.LayerNorm(6),
        )
        for _ in range(3)
    ]


def test_it_starts_as_the_plain_stack():
    rng = np.random.default_rng(0)
    x, layers = Tensor(rng.normal(size=(2, 5, 6))), blocks(rng)
    dense = Stack(layers, connection=DenseAverage(3))
    assert np.array_equal(dense(x).numpy(), Stack(layers)(x).numpy())


def test_outputs_before_the_mean_are_averaged():
    rng = np.random.default_rng(1)
    x, layers = Tensor(rng.normal(size=(2, 5, 6))), blocks(rng)
    dense = Stack(layers, connection=DenseAverage(3))
    for a in dense.connection.weights:
        a.assign(rng.normal(size=a.shape))
    outputs, mean = [x.numpy()], x
    for block, a in zip(layers, dense.connection.weights, strict=True):
        outputs.append(block(mean).numpy())
        mean = Tensor(np.tensordot(a.numpy(), np.stack(outputs), 1))
    got = dense(x)
    assert np.abs(got.numpy() - mean.numpy()).max() < 1e-5
    got.sum().backward()
    assert all(np.abs(a.grad.numpy()).min() > 0 for a in dense.connection.weights)
    assert len(dense.parameters()) == len(Stack(layers).parameters()) + 3
