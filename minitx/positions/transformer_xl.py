"""Transformer-XL's positions: a sinusoid of the distance, and two biases for every query."""

from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.positions.absolute import sinusoidal
from minitx.positions.hooks import Hooks
from minitx.positions.relative import distances


def relative_shift(scores: Tensor) -> Tensor:
    """Row i moved left by T - 1 - i, so that columns that stand for distances stand for keys.

    (B, H, T, n) -> (B, H, T, n): one column of zeros in front, the rows read on as one line cut
    one row shorter. Entries that were shifted in from the next row are not to be used.

    Source: Dai et al., "Transformer-XL" (2019), appendix B.
    """
    b, h, t, n = scores.shape
    padded = F.pad(scores, [(0, 0), (0, 0), (0, 0), (1, 0)])  # (B, H, T, n + 1)
    return F.reshape(F.reshape(padded, (b, h, n + 1, t))[:, :, 1:], (b, h, t, n))


class TransformerXL(Hooks):
    """score_ij = (q_i + u) k_j / sqrt(d) + (q_i + v) (W r_{i-j}) / sqrt(d).

    r is the sinusoid of the distance, W and the biases u, v (per head) are trained. No absolute
    position enters, so that the keys of an earlier segment can be used again. Coordinates are
    whole numbers; where they are in order the term is made for every distance once and shifted.

    Source: Dai et al., "Transformer-XL" (2019): W_{k,R} = to_keys, u = content, v = place.
    """

    def __init__(self, num_heads: int, d_head: int, rng: Any = None):
        rng = backend.generator(rng)
        self.num_heads, self.d_head = num_heads, d_head
        self.d_wave = num_heads * d_head + (num_heads * d_head) % 2
        self.to_keys = nn.Linear(self.d_wave, num_heads * d_head, bias=False, rng=rng)
        self.content = nn.Parameter(0.02 * rng.standard_normal((num_heads, 1, d_head)))
        self.place = nn.Parameter(0.02 * rng.standard_normal((num_heads, 1, d_head)))

    def scores(self, scores, q, k, coords_q, coords_k):
        scale = self.d_head**-0.5
        by_content = (self.content * scale) @ F.swapaxes(k, -1, -2)  # (B, H, 1, S)
        by_place = self._by_place(q + self.place * scale, distances(coords_q, coords_k))
        return scores + by_content + by_place

    def _by_place(self, q: Tensor, distance: Any) -> Tensor:
        """q_i (W r_{i-j}), (B, H, T, S), for distances j - i, (B or 1, T, S)."""
        xp = backend.namespace(distance)
        farthest = int(distance.max()) if distance.size else 0
        nearest = int(distance.min()) if distance.size else 0
        places = xp.arange(nearest, farthest + 1)  # every distance that occurs
        waves = sinusoidal(-places[None], self.d_wave)[0].astype(q.dtype)
        keys = F.reshape(self.to_keys(wrap(waves, None)), (-1, self.num_heads, self.d_head))
        products = q @ F.transpose(keys, 1, 2, 0)  # (B, H, T, n)
        if self._in_order(distance, places):
            return relative_shift(products)[..., : distance.shape[-1]]
        index = xp.broadcast_to(
            (distance - nearest)[:, None], (*products.shape[:3], distance.shape[-1])
        )
        return F.take_along_axis(products, wrap(index, None), -1)

    @staticmethod
    def _in_order(distance: Any, places: Any) -> bool:
        """Whether the distances are those of consecutive queries and consecutive keys."""
        _, t, s = distance.shape
        xp = backend.namespace(distance)
        expected = xp.arange(s) - xp.arange(t)[:, None] + int(places[0]) + t - 1
        return bool((distance == expected).all())
