"""The five places at which a position (or anything else) can enter attention.

    x = input(x)   q, k = queries_and_keys(q, k)   S = scores(q k^T / sqrt(d))
    W = weights(softmax(S))   y = values(W v)

A position is a Hooks that overrides one or two of the five. The first two, and a ``bias`` added
to the scores, leave the softmax as it is, so attention still runs as one fused step; the others
need the weights in the open, and attention computes them step by step.
"""

from typing import Any

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.module import Module


class Hooks(Module):
    """Base of everything that enters attention; each method here changes nothing.

    Coordinates are arrays (B or 1, T, p), those of the keys (B or 1, S, p).
    """

    def input(self, x: Tensor, coords: Any) -> Tensor:
        """Change the tokens x (B, T, D) before the first block."""
        return x

    def queries_and_keys(
        self, q: Tensor, k: Tensor, coords_q: Any, coords_k: Any
    ) -> tuple[Tensor, Tensor]:
        """Change the queries (B, H, T, d) and the keys (B, H', S, d)."""
        return q, k

    def bias(self, coords_q: Any, coords_k: Any) -> Tensor | None:
        """What is added to the scores, broadcast to (B, H, T, S), if it depends on no token.

        Its dtype is changed to that of the scores.
        """
        return None

    def scores(self, scores: Tensor, q: Tensor, k: Tensor, coords_q: Any, coords_k: Any) -> Tensor:
        """Change the scores (B, H, T, S), given the scaled queries q / sqrt(d) and the keys."""
        bias = self.bias(coords_q, coords_k)
        return scores if bias is None else scores + F.astype(bias, scores.dtype)

    def weights(self, weights: Tensor, coords_q: Any, coords_k: Any) -> Tensor:
        """Change the weights (B, H, T, S) after the softmax."""
        return weights

    def values(
        self, mixed: Tensor, weights: Tensor, v: Tensor, coords_q: Any, coords_k: Any
    ) -> Tensor:
        """Change what the weights have mixed, W v (B, H, T, d)."""
        return mixed

    def keeps_softmax(self) -> bool:
        """Whether attention with these hooks may run as one fused step."""
        mine = type(self)
        return all(
            getattr(mine, name) is getattr(Hooks, name) for name in ("scores", "weights", "values")
        )
