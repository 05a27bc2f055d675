"""The convolution module: a token hears its neighbours, near ones with weights of their own."""

from collections.abc import Callable
from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context, TokenMixer


class ConvolutionModule(TokenMixer):
    """W_2 silu(norm(conv(glu(W_1 x)))): a gated, grouped convolution along the tokens.

    x (B, T, D) -> (B, T, D). The kernel is centred, so that a token hears kernel // 2 tokens on
    either side; padding counts as zeros. ``group_size`` features are convolved together; ``norm``
    makes the norm in the middle. Raises ValueError when group_size does not divide d_model.

    Source: Chelombiev et al., "GroupBERT" (2021), after Gulati et al., "Conformer" (2020).
    """

    def __init__(
        self,
        d_model: int,
        norm: Callable[[], nn.Module],
        kernel: int = 7,
        group_size: int = 16,
        rng: Any = None,
    ):
        if group_size < 1 or d_model % group_size or kernel % 2 == 0:
            raise ValueError(
                f"expected an odd kernel and a group_size that divides {d_model}, "
                f"got {kernel} and {group_size}"
            )
        rng = backend.generator(rng)
        self.up = nn.Linear(d_model, 2 * d_model, rng=rng)
        self.convolution = nn.Conv1d(
            d_model, d_model, kernel, padding="same", groups=d_model // group_size, rng=rng
        )
        self.norm = norm()
        self.down = nn.Linear(d_model, d_model, rng=rng)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        h = F.glu(self.up(x))  # (B, T, D)
        if ctx is not None and ctx.valid is not None:
            h = F.where(ctx.valid[..., None], h, 0)
        return self.down(F.silu(self.norm(self.convolution(h))))
