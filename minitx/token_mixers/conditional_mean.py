"""Attention as the estimate of a conditional mean, E[v | k = q], from pairs (k, v).

Two estimates of statistics: kernel ridge regression, which solves for the weights, and the kernel
average (Nadaraya and Watson), which is softmax attention with one more number in each key.

Source: Zhang et al., "An Analysis of Attention via the Lens of Exchangeability and Latent Variable
Models" (2022): CME attention = ``mean_embedding_attention``, L = S, lambda L = penalty.
"""

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor


def gaussian_kernel(a: Tensor, b: Tensor, width: float) -> Tensor:
    """exp(-|a_i - b_j|^2 / (2 width^2)): (..., n, p), (..., m, p) -> (..., n, m)."""
    lengths = F.expand_dims(F.sum(b * b, -1), -2)  # (..., 1, m)
    square = F.sum(a * a, -1, keepdims=True) + lengths - 2 * (a @ F.swapaxes(b, -1, -2))
    return F.exp(square * (-0.5 / width**2))


def mean_embedding_attention(
    q: Tensor, k: Tensor, v: Tensor, width: float = 1.0, penalty: float = 0.1
) -> Tensor:
    """k(q, K) (G + penalty I)^-1 v, with G = k(K, K): the conditional mean by kernel ridge.

    q (..., T, p), keys k (..., S, p), values v (..., S, c) -> (..., T, c).
    """
    ridge = penalty * backend.namespace(k.data).eye(k.shape[-2], dtype=k.dtype)
    gram = gaussian_kernel(k, k, width) + ridge
    return gaussian_kernel(q, k, width) @ F.solve(gram, v)


def kernel_average_attention(q: Tensor, k: Tensor, v: Tensor, width: float = 1.0) -> Tensor:
    """The average of v weighted by a Gaussian kernel, as plain softmax attention.

    q (..., T, p), k (..., S, p), v (..., S, c) -> (..., T, c), with at most one axis in front.

    -|q - k|^2 / 2 = q k - |k|^2 / 2 - |q|^2 / 2, and the last term is the same for all keys. So
    the keys get one more number, -|k|^2 / 2, and the queries a 1; were all keys of one length,
    softmax attention would be the kernel average as it is.
    """
    k = F.concatenate([k, F.sum(k * k, -1, keepdims=True) * -0.5], axis=-1)
    q = F.concatenate([q, F.ones_like(q[..., :1])], axis=-1)
    front = q.shape[:-2]
    q, k, v = (F.reshape(x, (-1, 1, *x.shape[-2:])) for x in (q, k, v))  # (B, 1, ...)
    y = F.attention(q, k, v, scale=width**-2)
    return F.reshape(y, (*front, *y.shape[-2:]))
