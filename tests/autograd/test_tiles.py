"""Attention by tiles: the same numbers as the naive form, in memory that is linear in length."""

import importlib
import tracemalloc

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.fused import tiles
from minitx.autograd.transforms import vjp
from tests.autograd.battery import prove, real
from tests.autograd.test_fused import attend, heads, mask

dense = importlib.import_module("minitx.autograd.fused.attention")

CASES = [
    ({}, heads()),
    ({"causal": True}, heads(t=11, s=11)),
    ({"causal": True}, heads(t=4, s=11)),
    ({"causal": True}, heads(t=11, s=7)),  # the first four queries may see nothing
    ({"mask": mask(2, 3, 5, 7)}, heads()),
    ({"mask": mask(5, 7), "causal": True, "scale": 0.3}, heads()),
    ({"mask": mask(2, 1, 1, 7)}, heads()),
    ({"mask": mask(2, 1, 5, 1)}, heads()),
    ({"mask": np.zeros((5, 7), bool)}, heads()),
    ({}, (real(2, 6, 5, 4), real(2, 3, 7, 4, seed=1), real(2, 3, 7, 2, seed=2))),
    ({}, heads(t=1, s=1, d=1, width=1)),
    ({}, heads(t=0)),
    ({}, heads(s=0)),
    ({}, heads(b=0)),
]


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles so small that a few tokens need many of them."""
    monkeypatch.setattr(dense, "_LONG", 0)
    monkeypatch.setattr(tiles, "QUERIES", 3)
    monkeypatch.setattr(tiles, "KEYS", 2)


def pulled(options, args, seed=9):
    y, pull = vjp(attend(**options), *args)
    return [x.numpy() for x in (y, *pull(real(*y.shape, seed=seed)))]


@pytest.mark.parametrize(("options", "args"), CASES)
def test_values_and_derivatives_of_both_orders(small_tiles, options, args):
    prove("tiled_attention", attend(**options), *args)


@pytest.mark.parametrize(("options", "args"), CASES)
def test_tiles_equal_the_dense_form(small_tiles, monkeypatch, options, args):
    by_tiles = pulled(options, args)
    monkeypatch.setattr(dense, "_LONG", 1 << 60)
    for got, expected in zip(by_tiles, pulled(options, args), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_great_scores_that_grow_along_the_keys(small_tiles):
    q, k, v = heads(t=5, s=11)
    rising = Tensor(1e4 * np.arange(1, 12)[:, None] * np.ones_like(k.numpy()), dtype=np.float64)
    y, *gradients = pulled({}, (q, rising, v))
    signs = np.sign(q.numpy().sum(-1))[..., None]  # all weight on the last key, or on the first
    expected = np.where(signs > 0, v.numpy()[:, :, -1:], v.numpy()[:, :, :1])
    np.testing.assert_allclose(y, expected, atol=1e-12)
    assert all(np.isfinite(g).all() for g in gradients)


def test_not_a_bit_depends_on_the_future(small_tiles):
    q, k, v = heads(t=11, s=11)
    y = attend(causal=True)(q, k, v).numpy()
    for t in range(11):
        later = [x.numpy().copy() for x in (q, k, v)]
        for x in later:
            x[:, :, t + 1 :] = 1e3
        changed = attend(causal=True)(*(Tensor(x, dtype=np.float64) for x in later)).numpy()
        assert (changed[:, :, : t + 1] == y[:, :, : t + 1]).all()


def peak(function, *args):
    """Bytes at the worst moment of a forward and backward computation."""
    tracemalloc.start()
    y, pull = vjp(function, *args)
    pull(y)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_memory_grows_with_the_length_not_with_its_square(monkeypatch):
    def at(t):
        return peak(attend(causal=True), *(Tensor(real(1, 1, t, 8).numpy()) for _ in range(3)))

    assert at(4096) < 2.5 * at(2048)
    monkeypatch.setattr(dense, "_LONG", 1 << 60)
    with_weights = at(4096)
    monkeypatch.setattr(dense, "_LONG", 0)
    assert at(4096) < with_weights / 5


def test_long_sequences_go_by_tiles_at_once_and_agree_in_float32():
    q, k, v = (Tensor(real(1, 1, 1500, 16, seed=i).numpy()) for i in range(3))
    assert q.dtype == np.float32 and dense._LONG <= 1500 * 1500
    y, pull = vjp(attend(causal=True), q, k, v)
    naive, naive_pull = vjp(lambda *x: F.naive_attention(*x, causal=True), q, k, v)
    cotangent = Tensor(real(*y.shape, seed=9).numpy())
    for a, b in zip((y, *pull(cotangent)), (naive, *naive_pull(cotangent)), strict=True):
        assert abs(a.numpy() - b.numpy()).max() <= 1e-5 * max(1, abs(b.numpy()).max())
