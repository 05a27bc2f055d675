"""The block in columns: another convention, written out in NumPy, and what it says of structure."""

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.experiments import part
from minitx.positions.absolute import Sinusoidal
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal

D, H, N = 24, 3, 11
K = D // H


def block(rng: np.random.Generator, mask=None) -> Block:
    """A pre-norm block; attention without biases, as the note has it."""
    return Block(
        MultiHeadAttention(D, H, mask=mask, bias=False, rng=rng),
        MLP(D, 4 * D, "relu", rng=rng),
        norm=lambda: nn.LayerNorm(D),
    ).to("float64")


def fused_values(attention: MultiHeadAttention) -> np.ndarray:
    """V_h (H, D, D): value and output matrix of each head as one."""
    value = attention.qkv.weight.numpy()[2 * D :].reshape(H, K, D)
    out = attention.out.weight.numpy().reshape(D, H, K)
    return np.einsum("dhk,hke->hde", out, value)


def normalised(X: np.ndarray, norm: nn.LayerNorm) -> np.ndarray:
    """Each column (a token) brought to mean 0 and variance 1, then scaled and shifted."""
    centred = X - X.mean(0)
    columns = centred / np.sqrt((centred**2).mean(0) + norm.eps)
    return columns * norm.weight.numpy()[:, None] + norm.bias.numpy()[:, None]


def column_form(X: np.ndarray, made: Block) -> tuple[np.ndarray, np.ndarray]:
    """The block for tokens that are columns, X (D, N): (the output (D, N), A (H, N, N))."""
    attention, mlp = made.sublayers
    U_q, U_k = attention.qkv.weight.numpy()[: 2 * D].reshape(2, H, K, D)
    Y = normalised(X, made.norms[0])
    scores = np.einsum("hkd,dn,hke,em->hnm", U_k, Y, U_q, Y) / np.sqrt(K)  # x_n' U_k' U_q x_m
    A = np.exp(scores - scores.max(1, keepdims=True))
    A = A / A.sum(1, keepdims=True)
    X = X + sum(V @ Y @ A_h for V, A_h in zip(fused_values(attention), A))
    Y = normalised(X, made.norms[1])
    up, down = mlp.up, mlp.down
    hidden = np.maximum(up.weight.numpy() @ Y + up.bias.numpy()[:, None], 0)
    return X + down.weight.numpy() @ hidden + down.bias.numpy()[:, None], A


@part(1)
def columns(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    made, x = block(rng), rng.standard_normal((N, D))
    ours = made(Tensor(x[None], dtype=np.float64)).numpy()[0]
    theirs, A = column_form(x.T, made)
    return {
        "column form": np.abs(theirs.T - ours).max(),
        "column sums": np.abs(A.sum(1) - 1).max(),
    }


@part(2)
def structure(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    made, causal = block(rng), block(rng, Causal())
    x, order, waves = rng.standard_normal((1, N, D)), rng.permutation(N), Sinusoidal(D)

    def apply(model: Block, x: np.ndarray, placed: bool = False) -> np.ndarray:
        x = Tensor(x, dtype=np.float64)
        return model(waves.input(x, np.arange(N)[None, :, None]) if placed else x).numpy()

    def broken(placed: bool) -> float:
        shuffled = apply(made, x[:, order], placed)
        return np.abs(shuffled - apply(made, x, placed)[:, order]).max()

    t, later = 5, x.copy()
    later[:, t:] = rng.standard_normal(later[:, t:].shape)
    change = np.abs(apply(causal, later) - apply(causal, x))[:, :t].max()
    return {"without positions": broken(False), "with positions": broken(True),
            "earlier outputs": change}  # fmt: skip


@part(3)
def counts(seed: int = 0) -> float:
    attention = block(np.random.default_rng(seed)).sublayers[0]
    factored = attention.qkv.weight.numpy()[2 * D :].size + attention.out.weight.size
    fused = fused_values(attention).size
    return abs(factored - 2 * D * K * H) + abs(fused - H * D**2)
