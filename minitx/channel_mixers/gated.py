"""Gated units: one half of the hidden numbers decides how much of the other half passes."""

from typing import Any

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.activations import ActivationFunction
from minitx.nn.activations import activation as find


class GLU(nn.Module):
    """W_down (act(W_gate x) * W_up x), for each token alone; fills the slot "channel mixer".

    x (B, T, D) -> (B, T, D). With ``"silu"`` it is SwiGLU (one fused step), with ``"gelu"`` GEGLU,
    with ``"relu"`` ReGLU, with ``"sigmoid"`` the first GLU, with ``lambda x: x`` the bilinear unit.
    d_ff is two thirds of 4 D unless told: as many parameters as the MLP of width 4 D.

    Source: Shazeer, "GLU Variants Improve Transformer" (2020): W = gate, V = up, W_2 = down.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        activation: str | ActivationFunction = "silu",
        *,
        bias: bool = False,
        rng: Any = None,
    ):
        rng, d_ff = backend.generator(rng), d_ff or 8 * d_model // 3
        self.gate = nn.Linear(d_model, d_ff, bias=bias, rng=rng)
        self.up = nn.Linear(d_model, d_ff, bias=bias, rng=rng)
        self.down = nn.Linear(d_ff, d_model, bias=bias, rng=rng)
        self.activation = find(activation)

    def forward(self, x: Tensor, ctx: Any = None) -> Tensor:
        if self.activation is F.silu:
            return self.down(F.swiglu(self.gate(x), self.up(x)))
        return self.down(self.activation(self.gate(x)) * self.up(x))
