"""Positions against loops and closed forms."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.autograd.check import check_grads
from minitx.context import Context
from minitx.positions import (
    URPE,
    ALiBi,
    Learned,
    NoPosition,
    Rotary,
    Shaw,
    Sinusoidal,
    T5Bias,
    TransformerXL,
    banded_scaling,
    linear_scaling,
    ntk_scaling,
    relative_shift,
    rotary,
    rotary_frequencies,
    sinusoidal,
)
from minitx.positions.relative import alibi_slopes
from minitx.token_mixers import Causal, MultiHeadAttention
from tests.autograd.battery import prove, real

B, H, T, S, d = 2, 3, 5, 7, 4


def coords(length, start=0, batch=1):
    return np.broadcast_to(np.arange(start, start + length)[None, :, None], (batch, length, 1))


def draw(seed, *shape):
    return Tensor(np.random.default_rng(seed).normal(size=shape), dtype=np.float64)


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


# ------------------------------------------------------------------------------------ absolute


def test_sinusoids_by_loop():
    places = np.array([[0, 3, 2.5]])
    for i, t in enumerate(places[0]):
        for j in range(3):
            angle = t / 10000 ** (2 * j / 6)
            got = sinusoidal(places, 6)[0, i]
            assert abs(got[2 * j] - np.sin(angle)) + abs(got[2 * j + 1] - np.cos(angle)) < 1e-15
    with pytest.raises(ValueError, match="even d_model, got 5"):
        sinusoidal(places, 5)


def test_sinusoids_are_added_at_the_input():
    x = draw(0, B, T, 6)
    got = Sinusoidal(6).input(x, coords(T, 2))
    assert gap(got, x.numpy() + sinusoidal(np.arange(2, 7)[None], 6)) < 1e-15
    assert Sinusoidal(6).input(Tensor(x, dtype=np.float32), coords(T)).dtype == np.float32


def test_learned_vectors_by_place():
    learned, x = Learned(9, 6, rng=0), draw(0, B, T, 6)
    where = np.array([[0, 0, 1, 2, 3], [4, 5, 6, 7, 8]])[..., None]
    assert gap(learned.input(x, where), x.numpy() + learned.weight.numpy()[where[..., 0]]) < 1e-15
    with pytest.raises(ValueError, match="positions 0 to 8, got 5 to 9"):
        learned.input(x, coords(T, 5))


def test_no_position_changes_nothing():
    x = draw(0, B, T, 6)
    assert NoPosition().input(x, coords(T)) is x


# -------------------------------------------------------------------------------------- rotary


def test_rotary_turns_pairs_by_the_place():
    q, k = draw(0, B, H, T, d), draw(1, B, 1, T, d)
    turned, _ = Rotary(d).queries_and_keys(q, k, coords(T, 3), coords(T, 3))
    for t in range(T):
        for i in range(d // 2):
            angle = (t + 3) * 10000 ** (-2 * i / d)
            z = (q.numpy()[:, :, t, i] + 1j * q.numpy()[:, :, t, i + d // 2]) * np.exp(1j * angle)
            assert gap(turned.numpy()[:, :, t, i], z.real) < 1e-14
            assert gap(turned.numpy()[:, :, t, i + d // 2], z.imag) < 1e-14


def test_rotary_products_depend_on_the_distance_alone():
    q, k = draw(0, 1, 1, T, d), draw(1, 1, 1, S, d)
    products = []
    for shift in (0, 11):
        a, b = Rotary(d).queries_and_keys(q, k, coords(T, shift), coords(S, shift))
        products.append((a @ F.swapaxes(b, -1, -2)).numpy())
    assert gap(*products) < 1e-12
    a, b = Rotary(d).queries_and_keys(q, k, coords(T, 0), coords(S, 1))
    assert gap((a @ F.swapaxes(b, -1, -2)).numpy(), products[0]) > 1e-2


def test_rotary_of_part_of_the_width():
    q = draw(0, B, H, T, 6)
    turned, _ = Rotary(6, width=4).queries_and_keys(q, q, coords(T), coords(T))
    whole, _ = Rotary(4).queries_and_keys(q[..., :4], q[..., :4], coords(T), coords(T))
    assert np.array_equal(turned.numpy()[..., 4:], q.numpy()[..., 4:])
    assert gap(turned.numpy()[..., :4], whole) == 0


def test_rotary_along_two_axes():
    grid = np.stack(np.meshgrid(np.arange(2), np.arange(3), indexing="ij"), -1).reshape(1, 6, 2)
    q = draw(0, B, H, 6, 8)
    products = []
    for shift in ([0, 0], [5, -2]):
        a, b = Rotary(8, axes=2).queries_and_keys(q, q, grid + shift, grid + shift)
        products.append((a @ F.swapaxes(b, -1, -2)).numpy())
    assert gap(*products) < 1e-12
    with pytest.raises(ValueError, match="2 coordinates, got 1"):
        Rotary(8, axes=2).queries_and_keys(q, q, coords(6), coords(6))


def test_rotary_gradients():
    cos, sin = np.cos(draw(1, 1, 1, T, 2).numpy()), np.sin(draw(1, 1, 1, T, 2).numpy())
    check_grads(lambda x: rotary(x, cos, sin), draw(0, B, H, T, 5))


def test_scalings_of_the_frequencies():
    w = rotary_frequencies(16)
    assert gap(linear_scaling(4.0)(w), w / 4) == 0
    ntk = ntk_scaling(4.0)(w)
    assert ntk[0] == w[0] and abs(ntk[-1] * 4 / w[-1] - 1) < 1e-12
    assert gap(ntk, (10000 * 4 ** (16 / 14)) ** (-np.arange(0, 16, 2) / 16)) < 1e-12
    banded = banded_scaling(8.0, 64)(w)
    turns = 64 * w / (2 * np.pi)
    assert (turns > 4).any() and (turns < 1).any() and ((turns > 1) & (turns < 4)).any()
    assert gap(banded[turns > 4], w[turns > 4]) == 0
    assert gap(banded[turns < 1], w[turns < 1] / 8) == 0
    between = (turns > 1) & (turns < 4)
    assert ((banded < w) & (banded > w / 8))[between].all()
    assert np.array_equal(Rotary(16, scaling=linear_scaling(2.0)).frequencies, w / 2)


def test_rotary_refuses_widths_that_do_not_fit():
    for bad in (dict(d_head=4, width=6), dict(d_head=4, width=3), dict(d_head=6, axes=2)):
        with pytest.raises(ValueError, match="Rotary expected a width"):
            Rotary(**bad)


# ------------------------------------------------------------------------------------ relative


def t5_bucket_by_loop(distance, buckets, longest, causal):
    start = 0
    if not causal:
        buckets //= 2
        start = buckets if distance > 0 else 0
        back = abs(distance)
    else:
        back = max(-distance, 0)
    near = buckets // 2
    if back < near:
        return start + back
    far = near + int(np.log(back / near) / np.log(longest / near) * (buckets - near))
    return start + min(far, buckets - 1)


@pytest.mark.parametrize("causal", [False, True])
def test_t5_buckets(causal):
    position = T5Bias(H, 16, 50, causal=causal, rng=0)
    distances = np.arange(-70, 71)
    expected = [t5_bucket_by_loop(int(n), 16, 50, causal) for n in distances]
    assert position.bucket(distances).tolist() == expected
    assert len(set(expected)) == (16 if causal else 15)  # no distance above 0 is 0 away
    bias = position.bias(coords(T, 2), coords(S))
    assert bias.shape == (1, H, T, S)
    got = bias.numpy()[0, 1, 3, 2]
    assert got == position.weight.numpy()[t5_bucket_by_loop(2 - 5, 16, 50, causal), 1]


def test_alibi():
    assert np.array_equal(alibi_slopes(8), 2.0 ** -np.arange(1, 9))
    assert np.allclose(alibi_slopes(3), [2.0**-4, 2.0**-8, 2.0**-2])
    bias = ALiBi(3).bias(coords(T, 2), coords(S)).numpy()
    assert bias.shape == (1, 3, T, S)
    assert bias[0, 0, 1, 6] == -(2.0**-4) * 3 and bias[0, 1, 4, 0] == -(2.0**-8) * 6


def naive_context(position, q, k, v):
    """scores and output with only this position's hooks, for consecutive tokens."""
    cq, ck = coords(T, S - T), coords(S)
    scaled = q * d**-0.5
    scores = position.scores(scaled @ F.swapaxes(k, -1, -2), scaled, k, cq, ck)
    weights = position.weights(F.softmax(scores), cq, ck)
    return scores.numpy(), position.values(weights @ v, weights, v, cq, ck).numpy()


def test_shaw_by_loop():
    position = Shaw(d, 2, rng=0).to(np.float64)
    q, k, v = draw(0, B, H, T, d), draw(1, B, H, S, d), draw(2, B, H, S, d)
    scores, y = naive_context(position, q, k, v)
    a_k, a_v = position.for_keys.numpy(), position.for_values.numpy()
    q, k, v = q.numpy(), k.numpy(), v.numpy()
    expected = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            r = int(np.clip(s - (t + S - T), -2, 2)) + 2
            expected[:, :, t, s] = (q[:, :, t] * (k[:, :, s] + a_k[r])).sum(-1) / np.sqrt(d)
    assert gap(scores, expected) < 1e-13
    w = np.exp(expected) / np.exp(expected).sum(-1, keepdims=True)
    out = np.zeros((B, H, T, d))
    for t in range(T):
        for s in range(S):
            r = int(np.clip(s - (t + S - T), -2, 2)) + 2
            out[:, :, t] += w[:, :, t, s, None] * (v[:, :, s] + a_v[r])
    assert gap(y, out) < 1e-13


@pytest.mark.parametrize("ordered", [True, False])
def test_transformer_xl_by_loop(ordered):
    position = TransformerXL(H, d, rng=0).to(np.float64)
    q, k = draw(0, B, H, T, d), draw(1, B, H, S, d)
    cq = coords(T, S - T, B) if ordered else np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])[..., None]
    ck = coords(S)
    assert (
        position._in_order(ck[:, None, :, 0] - cq[:, :, None, 0], np.arange(-(S - 1), T)) is ordered
    )
    scaled = q * d**-0.5
    got = position.scores(scaled @ F.swapaxes(k, -1, -2), scaled, k, cq, ck).numpy()
    u, v = position.content.numpy()[:, 0], position.place.numpy()[:, 0]
    W = position.to_keys.weight.numpy()
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    r = (W @ sinusoidal(np.array([cq[b, t, 0] - s]), H * d)[0]).reshape(H, d)[h]
                    qi, kj = q.numpy()[b, h, t], k.numpy()[b, h, s]
                    expected = (qi @ kj + qi @ r + u[h] @ kj + v[h] @ r) / np.sqrt(d)
                    assert abs(got[b, h, t, s] - expected) < 1e-12


def test_relative_shift_aligns_distances_with_keys():
    n = T + S - 1
    columns = Tensor(np.broadcast_to(np.arange(n, dtype=float), (1, 1, T, n)))
    shifted = relative_shift(columns).numpy()[0, 0, :, :S]
    assert np.array_equal(shifted, np.arange(S) + (T - 1 - np.arange(T))[:, None])


def test_urpe_multiplies_weights_by_a_toeplitz_matrix():
    position = URPE(S, H)
    assert position.factors.size == (2 * S - 1) * H
    weights = Tensor(np.random.default_rng(0).random((B, H, T, S)))
    assert np.array_equal(position.weights(weights, coords(T), coords(S)).numpy(), weights.numpy())
    position.factors.assign(np.random.default_rng(1).normal(size=position.factors.shape))
    got = position.weights(weights, coords(T), coords(S)).numpy() / weights.numpy()
    c = position.factors.numpy()
    assert abs(got[1, 2, 3, 5] - c[5 - 3 + S - 1, 2]) < 1e-5
    with pytest.raises(ValueError, match="below 7, got 12"):
        position.weights(weights, coords(T, 8), coords(S))


@pytest.mark.parametrize("mask", [None, Causal()])
def test_only_urpe_shows_position_where_all_tokens_are_equal(mask):
    x = Tensor(np.broadcast_to(np.random.default_rng(0).normal(size=(1, 1, 12)), (B, T, 12)))

    def spread(position, hooks=()):
        mixer = MultiHeadAttention(12, H, position=position, hooks=hooks, mask=mask, rng=0)
        return np.ptp(mixer(x).numpy(), axis=1).max()

    urpe = URPE(T, H)
    urpe.factors.assign(np.random.default_rng(1).normal(size=urpe.factors.shape))
    for position in (T5Bias(H, rng=0), ALiBi(H), TransformerXL(H, 4, rng=0), Rotary(4)):
        assert spread(position) < 1e-6
        assert spread(position, [urpe]) > 1e-2


@pytest.mark.parametrize(
    "make",
    [lambda: T5Bias(H, 8, 20, rng=0), lambda: Shaw(d, 2, rng=0), lambda: URPE(9, H),
     lambda: TransformerXL(H, d, rng=0), lambda: Rotary(d), lambda: ALiBi(H)],
)  # fmt: skip
def test_relative_positions_see_distances_alone(make):
    mixer = MultiHeadAttention(12, H, position=make(), rng=0).to(np.float64)
    x = draw(0, B, T, 12)
    here = mixer(x, Context(coords=coords(T)))
    assert gap(here, mixer(x, Context(coords=coords(T, 50)))) < 1e-12
    assert gap(here, mixer(x, Context(coords=2 * coords(T)))) > 1e-6 or isinstance(
        mixer.hooks[0], URPE
    )


@pytest.mark.parametrize("width", [6, 8])
def test_derivatives_of_a_turn(width):
    """Both orders; with width 8 the last two numbers are not turned."""
    angles = np.random.default_rng(0).standard_normal((5, 3))
    turn = lambda x: rotary(x, np.cos(angles), np.sin(angles)) ** 2  # noqa: E731
    prove("rotary", turn, real(2, 5, width))
