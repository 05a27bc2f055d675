"""The convolution module, and the block of four sublayers that it was made for."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx.autograd.check import check_grads
from minitx.block import Block
from minitx.channel_mixers import GroupedMLP
from minitx.context import Context
from minitx.nn import functional_call
from minitx.token_mixers import ConvolutionModule, MultiHeadAttention

B, T, D = 2, 9, 12


def module(kernel=5, group_size=3):
    return ConvolutionModule(D, lambda: nn.LayerNorm(D), kernel, group_size, rng=0)


def draw(dtype=None):
    return Tensor(np.random.default_rng(0).normal(size=(B, T, D)), dtype=dtype)


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


def test_by_loop():
    mixer, x = module().to(np.float64), draw(np.float64)
    a, b = np.split(mixer.up(x).numpy(), 2, axis=-1)
    h = np.pad(b / (1 + np.exp(-a)), [(0, 0), (2, 2), (0, 0)])
    w, y = mixer.convolution.weight.numpy(), np.zeros((B, T, D))
    for t in range(T):
        for o in range(D):
            first = o // 3 * 3
            y[:, t, o] = np.einsum("bkc,ck->b", h[:, t : t + 5, first : first + 3], w[o])
    y = mixer.norm(Tensor(y + mixer.convolution.bias.numpy(), dtype=np.float64)).numpy()
    expected = mixer.down(Tensor(y / (1 + np.exp(-y)), dtype=np.float64))
    assert gap(mixer(x), expected) < 1e-12


def test_it_reaches_half_a_kernel_and_no_further():
    x = draw()
    changed = x.numpy().copy()
    changed[:, 4] += 1
    moved = np.abs(module()(x).numpy() - module()(Tensor(changed)).numpy()).max(axis=(0, 2))
    assert (moved[2:7] > 1e-4).all() and moved[:2].max() == moved[7:].max() == 0


def test_padding_never_leaks():
    x, valid = draw(), np.array([[True] * T, [False] * 2 + [True] * 5 + [False] * 2])
    y = module()(x, Context.of(x, valid=valid)).numpy()
    assert gap(y[1, 2:7], module()(x[1:, 2:7])[0]) < 1e-5


def test_gradients():
    mixer = module().to(np.float64)
    weights = {name: p.detach() for name, p in mixer.named_parameters()}
    x = draw(np.float64)[:, :4]
    check_grads(lambda x, w: functional_call(mixer, w, x), x, weights, order=1)


def test_four_sublayers_in_a_block():
    block = Block(
        module(), GroupedMLP(D, groups=4, rng=1), MultiHeadAttention(D, 3, rng=2),
        GroupedMLP(D, groups=4, rng=3), norm=lambda: nn.LayerNorm(D),
    )  # fmt: skip
    x = draw()
    expected = x
    for sublayer, norm in zip(block.sublayers, block.norms, strict=True):
        expected = expected + sublayer(norm(expected))
    assert gap(block(x), expected) < 1e-6


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match=r"odd kernel.*divides 12, got 4 and 3"):
        module(kernel=4)
    with pytest.raises(ValueError, match="got 5 and 5"):
        module(group_size=5)
    with pytest.raises(TypeError, match="cannot run step by step"):
        module().init_state(2)
