"""Relative positions: what the score or the value owes to the distance between two tokens.

The distance is key minus query, j - i: the previous token is at -1.
"""

import math
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.positions.hooks import Hooks


def distances(coords_q: Any, coords_k: Any) -> Any:
    """j - i for every pair: arrays (B or 1, T, p), (B or 1, S, p) -> (B or 1, T, S)."""
    return coords_k[:, None, :, 0] - coords_q[:, :, None, 0]


class T5Bias(Hooks):
    """A trained number per head for each bucket of distances, added to the scores.

    Near distances have a bucket each, far ones share buckets that grow logarithmically up to
    ``max_distance``. ``causal`` keeps all buckets for the past.

    Source: Raffel et al., "Exploring the Limits of Transfer Learning" (2020).
    """

    def __init__(
        self, num_heads: int, buckets: int = 32, max_distance: int = 128, causal: bool = False,
        rng: Any = None,
    ):  # fmt: skip
        self.buckets, self.max_distance, self.causal = buckets, max_distance, causal
        rng = backend.generator(rng)
        self.weight = nn.Parameter(0.02 * rng.standard_normal((buckets, num_heads)))

    def bias(self, coords_q: Any, coords_k: Any) -> Tensor:
        ids = self.bucket(distances(coords_q, coords_k))  # (B, T, S)
        return F.transpose(F.embedding(self.weight, wrap(ids, None)), 0, 3, 1, 2)  # (B, H, T, S)

    def bucket(self, distance: Any) -> Any:
        """The bucket of each distance j - i."""
        xp, buckets, start = backend.namespace(distance), self.buckets, 0
        if self.causal:
            back = xp.maximum(-distance, 0)
        else:
            buckets //= 2
            start, back = buckets * (distance > 0), abs(distance)
        near = buckets // 2
        ratio = xp.log(xp.maximum(back, near) / near) / math.log(self.max_distance / near)
        far = xp.minimum(near + (ratio * (buckets - near)).astype(xp.int64), buckets - 1)
        return start + xp.where(back < near, back, far)


class ALiBi(Hooks):
    """-m_h |i - j| added to the scores, with a fixed slope m_h for each head: nothing is trained.

    For a power of two of heads the slopes are 2^(-8/H), 2^(-16/H), ... 2^-8; for other numbers
    those of the next smaller power, and then every other one of twice as many.

    Source: Press, Smith and Lewis, "Train Short, Test Long" (2022).
    """

    def __init__(self, num_heads: int):
        self.slopes = alibi_slopes(num_heads)

    def bias(self, coords_q: Any, coords_k: Any) -> Tensor:
        xp = backend.namespace(coords_q)
        slopes = xp.asarray(self.slopes)[:, None, None]
        return wrap(-slopes * abs(distances(coords_q, coords_k))[:, None], None)


def alibi_slopes(num_heads: int) -> np.ndarray:
    """The slope of each head, (H,)."""
    power = 1 << (num_heads.bit_length() - 1)
    slopes = 2.0 ** (-8 * np.arange(1, power + 1) / power)
    more = 2.0 ** (-4 * np.arange(1, 2 * (num_heads - power), 2) / power)
    return np.concatenate([slopes, more])


class Shaw(Hooks):
    """A trained vector per distance (clipped to ``reach``) beside each key and each value.

    score_ij = q_i (k_j + a^K_{j-i}) / sqrt(d);  y_i = sum_j w_ij (v_j + a^V_{j-i}).

    Source: Shaw, Uszkoreit and Vaswani, "Self-Attention with Relative Position Representations"
    (2018): k = reach.
    """

    def __init__(self, d_head: int, reach: int, rng: Any = None):
        rng, shape = backend.generator(rng), (2 * reach + 1, d_head)
        self.reach = reach
        self.for_keys = nn.Parameter(0.02 * rng.standard_normal(shape))
        self.for_values = nn.Parameter(0.02 * rng.standard_normal(shape))

    def _clipped(self, coords_q: Any, coords_k: Any) -> Any:
        return distances(coords_q, coords_k).clip(-self.reach, self.reach) + self.reach

    def scores(self, scores, q, k, coords_q, coords_k):
        clipped = self._clipped(coords_q, coords_k)  # (B, T, S)
        products = q @ F.transpose(self.for_keys)  # (B, H, T, 2 reach + 1)
        return scores + _gather(products, clipped)

    def values(self, mixed, weights, v, coords_q, coords_k):
        clipped = self._clipped(coords_q, coords_k)
        places = np.arange(2 * self.reach + 1)
        xp = backend.namespace(clipped)
        by_distance = (clipped[..., None] == xp.asarray(places)).astype(weights.dtype)
        total = F.expand_dims(weights, -2) @ wrap(by_distance[:, None], None)  # (B, H, T, 1, 2r+1)
        return mixed + F.squeeze(total, -2) @ self.for_values


def _gather(products: Tensor, index: Any) -> Tensor:
    """products[b, h, i, index[b, i, j]]: (B, H, T, n), (B or 1, T, S) -> (B, H, T, S)."""
    xp = backend.namespace(index)
    index = xp.broadcast_to(index[:, None], (*products.shape[:3], index.shape[-1]))
    return F.take_along_axis(products, wrap(index, None), -1)


class URPE(Hooks):
    """The weights times a trained number per distance, after the softmax: W -> W * c(j - i).

    The rows of W no longer add up to 1, so that position shows even where all tokens are equal.
    Combine it with any relative position, which goes in ``position``; one c for all heads, or
    with ``num_heads`` one for each. All are 1 at the start.

    Source: Luo et al., "Your Transformer May Not be as Powerful as You Expect" (2022): n =
    max_length, C = the matrix of c(j - i).
    """

    def __init__(self, max_length: int, num_heads: int = 1):
        self.max_length = max_length
        self.factors = nn.Parameter(np.ones((2 * max_length - 1, num_heads)))

    def weights(self, weights, coords_q, coords_k):
        distance = distances(coords_q, coords_k)
        if distance.size and abs(distance).max() >= self.max_length:
            raise ValueError(
                f"URPE expected distances below {self.max_length}, got {int(abs(distance).max())}"
            )
        found = F.embedding(self.factors, wrap(distance + self.max_length - 1, None))
        return weights * F.transpose(found, 0, 3, 1, 2)  # (B, H, T, S)
