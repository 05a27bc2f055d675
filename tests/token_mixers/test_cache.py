"""The KV cache: it grows without copying, never changes what was said, and forgets in windows."""

import numpy as np

from minitx import Tensor, no_grad
from minitx.context import Context, Decoding
from minitx.positions import Rotary, TransformerXL
from minitx.token_mixers import (
    Causal,
    CrossAttention,
    Keys,
    KVCache,
    MultiHeadAttention,
    SegmentMemory,
    Window,
)

B, K, d = 2, 3, 5


def keys(seed, length, valid=None):
    rng = np.random.default_rng(seed)
    k, v = (Tensor(rng.normal(size=(B, K, length, d))) for _ in range(2))
    return Keys(k, v, np.arange(length)[None, :, None] + seed, valid)


def test_what_goes_in_comes_out():
    parts = [keys(i, n) for i, n in enumerate((4, 1, 1, 13, 1))]
    cache = KVCache()
    for part in parts:
        cache = cache.append(part)
    assert len(cache) == 20
    for name in ("k", "v"):
        whole = np.concatenate([getattr(p, name).numpy() for p in parts], axis=2)
        assert np.array_equal(getattr(cache.keys, name).numpy(), whole)
    assert np.array_equal(cache.keys.coords, np.concatenate([p.coords for p in parts], axis=1))
    assert cache.keys.valid is None


def test_two_futures_of_one_past_do_not_meet():
    past = KVCache().append(keys(0, 4)).append(keys(1, 1))
    one, two = past.append(keys(2, 1)), past.append(keys(3, 1))
    assert np.array_equal(one.keys.k.numpy()[:, :, -1:], keys(2, 1).k.numpy())
    assert np.array_equal(two.keys.k.numpy()[:, :, -1:], keys(3, 1).k.numpy())
    assert np.array_equal(one.keys.k.numpy()[:, :, :5], two.keys.k.numpy()[:, :, :5])
    assert len(past) == 5


def test_a_step_writes_one_row_and_copies_nothing():
    cache = KVCache().append(keys(0, 4))
    following = cache.append(keys(1, 1))
    assert following.keys.k.data.base is cache.keys.k.data.base


def test_padding_is_remembered():
    valid = np.array([[False, True, True, True], [True] * 4])
    cache = KVCache().append(keys(0, 4, valid)).append(keys(1, 1))
    assert np.array_equal(cache.keys.valid, np.concatenate([valid, np.ones((2, 1), bool)], 1))
    cache = KVCache().append(keys(0, 1)).append(keys(1, 4, valid))
    assert np.array_equal(cache.keys.valid, np.concatenate([np.ones((2, 1), bool), valid], 1))


def test_rows_can_be_taken_twice():
    valid = np.array([[False, True, True, True], [True] * 4])
    cache = KVCache().append(keys(0, 4, valid)).take(np.array([1, 1, 0]))
    assert np.array_equal(cache.keys.k.numpy(), keys(0, 4).k.numpy()[[1, 1, 0]])
    assert np.array_equal(cache.keys.valid, valid[[1, 1, 0]])


def test_a_window_is_all_that_is_kept():
    mixer = MultiHeadAttention(12, 3, position=Rotary(4), mask=Causal() & Window(4), rng=0)
    x = Tensor(np.random.default_rng(0).normal(size=(B, 31, 12)))
    expected, decoding = mixer(x).numpy(), Decoding(B)
    with no_grad():
        for t in range(31):
            decoding.begin()
            ctx = Context(np.array([[[t]]]), decoding=decoding)
            y = mixer(x[:, t : t + 1], ctx).numpy()
            assert np.abs(y[:, 0] - expected[:, t]).max() < 1e-5
            (cache,) = decoding.states.values()
            assert len(cache) < 8


def test_going_back_to_a_copy():
    mixer = MultiHeadAttention(12, 3, position=Rotary(4), mask=Causal(), rng=0)
    x = Tensor(np.random.default_rng(0).normal(size=(B, 9, 12)))
    expected = mixer(x).numpy()

    def step(decoding, part):
        decoding.begin()
        coords = np.arange(part.start, part.stop)[None, :, None]
        return mixer(x[:, part], Context(coords, decoding=decoding)).numpy()

    with no_grad():
        decoding = Decoding(B)
        step(decoding, slice(0, 4))
        saved = decoding.copy()
        step(decoding, slice(4, 8))
        y = step(saved, slice(4, 9))
        assert np.abs(y - expected[:, 4:]).max() < 1e-6
        y = step(decoding, slice(8, 9))
        assert np.abs(y - expected[:, 8:]).max() < 1e-6


def test_gradients_flow_through_steps():
    mixer = MultiHeadAttention(12, 3, mask=Causal(), rng=0)
    x = Tensor(np.random.default_rng(0).normal(size=(B, 5, 12)), requires_grad=True)
    mixer(x).sum().backward()
    expected, x.grad, decoding, total = x.grad.numpy(), None, Decoding(B), 0
    for part in (slice(0, 2), slice(2, 3), slice(3, 5)):
        decoding.begin()
        total = total + mixer(x[:, part], Context.of(x[:, part], decoding=decoding)).sum()
    total.backward()
    assert np.abs(x.grad.numpy() - expected).max() < 1e-5


def memory_layer(length):
    cross = CrossAttention(12, 3, position=TransformerXL(3, 4, rng=1), mask=Causal(), rng=0)
    return SegmentMemory(cross, length)


def segments(mixer, x, size):
    decoding, found = Decoding(x.shape[0]), []
    for start in range(0, x.shape[1], size):
        part = x[:, start : start + size]
        decoding.begin()
        coords = np.arange(start, start + part.shape[1])[None, :, None]
        found.append(mixer(part, Context(coords, decoding=decoding)))
    return found


def test_segments_with_enough_memory_are_one_pass():
    x = Tensor(np.random.default_rng(0).normal(size=(B, 11, 12)), requires_grad=True)
    whole = memory_layer(11)(x).numpy()
    parts = segments(memory_layer(11), x, 4)
    assert np.abs(np.concatenate([p.numpy() for p in parts], 1) - whole).max() < 1e-5
    short = segments(memory_layer(2), x, 4)
    assert np.abs(short[1].numpy() - whole[:, 4:8]).max() > 1e-4
    parts[1].sum().backward()  # the memory gives no gradient
    assert np.abs(x.grad.numpy()[:, :4]).max() == 0 < np.abs(x.grad.numpy()[:, 4:8]).max()
