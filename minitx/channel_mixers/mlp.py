"""The two-layer perceptron: what each token makes of what it has heard, by itself."""

from typing import Any

from minitx import backend, nn
from minitx.autograd.tensor import Tensor
from minitx.nn.activations import ActivationFunction
from minitx.nn.activations import activation as find


class MLP(nn.Module):
    """W_down act(W_up x + b) + b', for each token alone; fills the slot "channel mixer".

    x (B, T, D) -> (B, T, D), d_ff wide inside (4 D unless told). ``activation`` is a function or
    Module of Tensors, or a name. ``inner_norm`` is a norm of width d_ff before ``down``.

    Source: Vaswani et al., "Attention Is All You Need" (2017): FFN; d_ff = d_ff.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        activation: str | ActivationFunction = "gelu",
        *,
        bias: bool = True,
        inner_norm: nn.Module | None = None,
        rng: Any = None,
    ):
        rng, d_ff = backend.generator(rng), d_ff or 4 * d_model
        self.up = nn.Linear(d_model, d_ff, bias=bias, rng=rng)
        self.down = nn.Linear(d_ff, d_model, bias=bias, rng=rng)
        self.activation = find(activation)
        self.inner_norm = inner_norm

    def forward(self, x: Tensor, ctx: Any = None) -> Tensor:
        h = self.activation(self.up(x))  # (B, T, d_ff)
        return self.down(h if self.inner_norm is None else self.inner_norm(h))
