"""Two streams of patches that exchange their class tokens by cross-attention."""

import numpy as np

from minitx import Tensor, nn
from minitx import functional as F
from minitx.context import Context, Source
from minitx.token_mixers import CrossAttention, MultiHeadAttention


class Exchange(nn.Module):
    """The class token of one stream goes over, hears the other's patches, and comes back."""

    def __init__(self, d_here, d_there, num_heads, rng):
        self.over = nn.Linear(d_here, d_there, rng=rng)
        self.norm = nn.LayerNorm(d_there)
        self.attention = CrossAttention(d_there, num_heads, rng=rng)
        self.back = nn.Linear(d_there, d_here, rng=rng)

    def forward(self, here, there):
        token = self.over(here[:, :1])  # (B, 1, D_there)
        heard = self.norm(F.concatenate([token, there[:, 1:]], axis=1))
        ctx = Context.of(token, source=Source(heard))
        token = self.back(token + self.attention(heard[:, :1], ctx))
        return F.concatenate([token, here[:, 1:]], axis=1)


def test_the_class_token_hears_what_full_attention_would_let_it_hear():
    rng = np.random.default_rng(0)
    coarse, fine = Tensor(rng.normal(size=(2, 5, 12))), Tensor(rng.normal(size=(2, 10, 6)))
    exchange = Exchange(12, 6, 3, rng)
    out = exchange(coarse, fine)
    assert out.shape == coarse.shape
    assert np.array_equal(out[:, 1:].numpy(), coarse[:, 1:].numpy())

    cross = exchange.attention
    full = MultiHeadAttention(6, 3, rng=rng)
    full.qkv.weight.assign(np.concatenate([cross.q.weight.numpy(), cross.kv.weight.numpy()]))
    full.qkv.bias.assign(np.concatenate([cross.q.bias.numpy(), cross.kv.bias.numpy()]))
    full.out = cross.out
    token = exchange.over(coarse[:, :1])
    heard = exchange.norm(F.concatenate([token, fine[:, 1:]], axis=1))
    expected = exchange.back(token + full(heard)[:, :1])
    assert np.abs(out[:, :1].numpy() - expected.numpy()).max() < 1e-6


def test_one_query_makes_one_row_of_scores():
    rng = np.random.default_rng(1)
    there = Tensor(rng.normal(size=(2, 10, 6)))
    cross = CrossAttention(6, 3, rng=rng)
    weights = cross.weights(there[:, :1], Context.of(there[:, :1], source=Source(there)))
    assert weights.shape == (2, 3, 1, 10)
