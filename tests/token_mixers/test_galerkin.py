"""Galerkin and Fourier attention: the two orders of one product, and quadrature."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.context import Context
from minitx.token_mixers import Causal, FourierAttention, GalerkinAttention
from minitx.token_mixers.galerkin import HeadNorm

B, T, D, H, d = 2, 11, 12, 3, 4


def tokens(length=T, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal((B, length, D)), dtype=float)


def grid(length):
    return ((np.arange(length) + 0.5) / length)[None, :, None]


def make(cls, **options):
    return cls(D, H, rng=0, **options).to(np.float64)


def test_the_head_norm_has_weights_for_each_head():
    norm, x = HeadNorm(H, d).to(np.float64), np.random.default_rng(0).standard_normal((B, H, T, d))
    weight, bias = np.random.default_rng(1).standard_normal((2, H, 1, d))
    norm.weight.assign(weight)
    norm.bias.assign(bias)
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * weight + bias
    np.testing.assert_allclose(norm(Tensor(x, dtype=float)).numpy(), y, atol=1e-12)


@pytest.mark.parametrize("cls", [FourierAttention, GalerkinAttention])
def test_a_point_hears_the_mean_over_points_of_products(cls):
    mixer, x, where = make(cls), tokens(), grid(T)
    heads = mixer.qkv(x).numpy().reshape(B, T, 3, H, d).transpose(2, 0, 3, 1, 4)
    first = 0 if cls is FourierAttention else 1  # q and k, or k and v
    for norm, i in zip(mixer.norms, (first, first + 1), strict=True):
        heads[i] = norm(Tensor(heads[i], dtype=float)).numpy()
    points = np.broadcast_to(where[:, None], (B, H, T, 1))
    q, k, v = (np.concatenate([z, points], axis=-1) for z in heads)
    z = np.einsum("bhtm,bhsm,bhsd->bthd", q, k, v) / T
    expected = mixer.out(Tensor(z.reshape(B, T, -1), dtype=float)).numpy()
    np.testing.assert_allclose(mixer(x, Context(coords=where)).numpy(), expected, atol=1e-12)


def test_both_orders_are_one_product():
    rng = np.random.default_rng(3)
    q, k, v = (Tensor(rng.standard_normal((B, H, T, d)), dtype=float) for _ in range(3))
    a, b = (make(cls).product(q, k, v).numpy() for cls in (FourierAttention, GalerkinAttention))
    np.testing.assert_allclose(a, b, atol=1e-12)


def test_projections_start_small_and_nearly_diagonal():
    weight = make(GalerkinAttention, eta=0.0, delta=0.25).qkv.weight.numpy()
    np.testing.assert_array_equal(weight, 0.25 * np.tile(np.eye(D), (3, 1)))
    weight = make(GalerkinAttention, eta=0.1, delta=0.0).qkv.weight.numpy()
    assert 0 < np.abs(weight).max() <= 0.1 * np.sqrt(6 / (2 * D))


def test_without_coordinates_shuffled_points_give_shuffled_outputs():
    x, order = tokens(), np.random.default_rng(1).permutation(T)
    for axes, same in ((0, True), (1, False)):
        mixer = make(GalerkinAttention, axes=axes)
        gap = np.abs(mixer(x[:, order]).numpy() - mixer(x).numpy()[:, order]).max()
        assert (gap < 1e-12) == same


def test_wrong_use_is_named():
    mixer, x = make(GalerkinAttention, axes=2), tokens()
    with pytest.raises(ValueError, match=r"\(B or 1, T, 2\), got \(1, 11, 1\)"):
        mixer(x)
    with pytest.raises(ValueError, match="expected no mask, got Causal"):
        make(FourierAttention)(x, Context.of(x, mask=Causal()))
