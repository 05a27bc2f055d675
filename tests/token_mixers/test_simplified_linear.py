"""Simplified linear attention: both orders, and a loop over tokens and neighbours."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.context import Context
from minitx.token_mixers import Causal, SimplifiedLinearAttention, split_heads
from minitx.token_mixers.simplified_linear import linear_order, quadratic_order

B, D, H = 2, 12, 3
d = 4


def tokens(length):
    values = np.random.default_rng(0).standard_normal((B, length, D))
    return Tensor(values, dtype=np.float64)


def make():
    return SimplifiedLinearAttention(D, H, kernel=3, rng=0).to(np.float64)


def by_loop(mixer, x, grid):
    """Weights of all pairs, and for each pixel a sum over the pixels around it."""
    q, k, v = (part.numpy() for part in split_heads(mixer.qkv(x), H, H, H))
    taps, bias = mixer.convolution.weight.numpy()[:, 0], mixer.convolution.bias.numpy()
    weights = np.maximum(q, 0) @ np.maximum(k, 0).swapaxes(-1, -2)
    y = weights / (weights.sum(-1, keepdims=True) + 1e-6) @ v
    y = y.swapaxes(1, 2).reshape(B, *grid, D)
    values = v.swapaxes(1, 2).reshape(B, *grid, D)
    for i, j in np.ndindex(grid):
        y[:, i, j] += bias
        for a, b in np.ndindex(3, 3):
            row, column = i + a - 1, j + b - 1
            if 0 <= row < grid[0] and 0 <= column < grid[1]:
                y[:, i, j] += taps[:, a, b] * values[:, row, column]
    return y.reshape(B, -1, D) @ mixer.out.weight.numpy().T + mixer.out.bias.numpy()


@pytest.mark.parametrize("grid", [(3, 5), (1, 3)])  # 15 tokens, and fewer than a head is wide
def test_it_is_the_loop_in_either_order(grid):
    mixer, x = make(), tokens(grid[0] * grid[1])
    found = mixer(x, Context.of(x, grid=grid)).numpy()
    np.testing.assert_allclose(found, by_loop(mixer, x, grid), atol=1e-10)


def test_both_orders_give_the_same():
    mixer, x = make(), tokens(15)
    q, k, v, _ = mixer.project(x, Context.of(x))
    expected = linear_order(q, k, v).numpy()
    np.testing.assert_allclose(quadratic_order(q, k, v).numpy(), expected, atol=1e-11)


def test_a_mask_is_refused():
    x = tokens(15)
    with pytest.raises(ValueError, match=r"expected no mask: .* got Causal"):
        make()(x, Context.of(x, mask=Causal()))
