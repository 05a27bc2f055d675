"""Attention between channels, the local mixer beside it, and the token that reads at the end."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.channel_mixers import MLP
from minitx.context import Context, Source
from minitx.token_mixers import (
    Causal,
    CrossAttention,
    CrossCovarianceAttention,
    FirstToken,
    LocalPatchInteraction,
    split_heads,
)

B, T, D, H = 2, 10, 12, 3
d = 4


def tokens(length=T, seed=0):
    values = np.random.default_rng(seed).standard_normal((B, length, D))
    return Tensor(values, dtype=np.float64)


def make(cls=CrossCovarianceAttention, *args, **options):
    return cls(D, *args, rng=0, **options).to(np.float64)


def test_it_is_softmax_attention_of_the_transposed_normalised_tensors():
    mixer, x = make(CrossCovarianceAttention, H), tokens()
    mixer.scale.assign(np.array([0.5, 2.0, 7.0])[:, None, None])
    q, k, v = (part.numpy() for part in split_heads(mixer.qkv(x), H, H, H))
    y = np.zeros((B, T, H * d))
    for b, h in np.ndindex(B, H):
        rows = [part[b, h].T for part in (q, k, v)]  # channels are the tokens now: (d, T)
        asking, asked = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in rows[:2])
        weights = np.exp(asking @ asked.T * mixer.scale.numpy()[h, 0, 0])
        weights /= weights.sum(1, keepdims=True)
        y[b, :, h * d : (h + 1) * d] = (weights @ rows[2]).T
    expected = y @ mixer.out.weight.numpy().T + mixer.out.bias.numpy()
    np.testing.assert_allclose(mixer(x).numpy(), expected, atol=1e-10)


def test_weights_of_a_channel_sum_to_one_and_know_nothing_of_the_size_of_x():
    mixer, x = make(CrossCovarianceAttention, H, bias=False), tokens()
    q, k, _ = mixer.project(x)
    weights = mixer.weights_of(q, k).numpy()
    np.testing.assert_allclose(weights.sum(-2), 1, atol=1e-12)
    q, k, _ = mixer.project(x * 50)
    np.testing.assert_allclose(mixer.weights_of(q, k).numpy(), weights, atol=1e-10)


def test_single_pairs_cannot_be_forbidden():
    x = tokens()
    with pytest.raises(ValueError, match="expected no mask, got Causal"):
        make(CrossCovarianceAttention, H)(x, Context.of(x, mask=Causal()))


def test_local_patches_hear_a_square_of_five_on_their_grid():
    mixer, x = make(LocalPatchInteraction).eval(), tokens(63).numpy()
    ctx = Context.of(Tensor(x), grid=(7, 9))
    before = mixer(Tensor(x, dtype=np.float64), ctx).numpy()
    x[:, 3 * 9 + 4] += 1  # row 3, column 4
    moved = np.abs(mixer(Tensor(x, dtype=np.float64), ctx).numpy() - before).max((0, 2)) > 1e-12
    rows, columns = np.nonzero(moved.reshape(7, 9))
    assert set(rows) == {1, 2, 3, 4, 5} and set(columns) == {2, 3, 4, 5, 6}


def test_tokens_that_do_not_fill_the_grid_are_named():
    mixer, x = make(LocalPatchInteraction), tokens()
    with pytest.raises(ValueError, match=r"rows x columns for 10 tokens, got \(3, 4\)"):
        mixer(x, Context.of(x, grid=(3, 4)))


def test_the_first_token_hears_all_and_alone_is_moved():
    attention = make(CrossAttention, H)
    x = tokens()
    y = FirstToken(attention)(x).numpy()
    whole = attention(x, Context.of(x, source=Source(x))).numpy()
    np.testing.assert_allclose(y[:, 0], whole[:, 0], atol=1e-12)
    assert not y[:, 1:].any()
    valid = np.ones((B, T), bool)
    valid[1, 6:] = False
    masked = FirstToken(attention)(x, Context.of(x, valid=valid)).numpy()
    short = FirstToken(attention)(x[1:, :6]).numpy()
    np.testing.assert_allclose(masked[1, 0], short[0, 0], atol=1e-12)
    assert np.abs(masked[1, 0] - y[1, 0]).max() > 1e-3


def test_a_channel_mixer_moves_the_first_token_as_it_would_alone():
    mixer, x = make(MLP), tokens()
    y = FirstToken(mixer)(x).numpy()
    np.testing.assert_allclose(y[:, 0], mixer(x).numpy()[:, 0], atol=1e-12)
    assert F.sum(F.abs(Tensor(y[:, 1:]))).item() == 0
