"""A short causal convolution: each channel hears itself and the few tokens before.

A part of recurrent mixers (delta rule, state spaces), which need neighbours to tell what belongs
together: the key of this token with the value of the next.
"""

from typing import Any

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor


class ShortConvolution(nn.Module):
    """y[t, c] = sum over i < K of w[c, i] x[t - K + 1 + i, c]; zeros stand before the first token.

    x (B, T, D) -> (B, T, D). weight (D, 1, K), no bias.
    """

    def __init__(self, d_model: int, kernel: int = 4, rng: Any = None):
        self.conv = nn.Conv1d(d_model, d_model, kernel, groups=d_model, bias=False, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.step(x, self.init_state(x.shape[0]))[0]

    def init_state(self, batch: int) -> Tensor:
        """The window before the first token: zeros (B, K - 1, D)."""
        d_model, _, kernel = self.conv.weight.shape
        return F.full_like(self.conv.weight, 0, shape=(batch, kernel - 1, d_model))

    def step(self, x: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """The next tokens x (B, t, D), after those of the window: (y (B, t, D), the new window)."""
        heard = F.concatenate([window, x], axis=1)  # (B, K - 1 + t, D)
        return self.conv(heard), heard[:, x.shape[1] :]
