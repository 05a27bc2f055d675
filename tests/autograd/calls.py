"""One plain call of every function of ``minitx.functional``, on Tensors of any array library.

A call is given a ``Maker``, which makes its Tensors, and returns a Tensor or several. The tests of
dtypes and of the stand-in array walk this list; a function that is not in it fails them.
"""

from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx.autograd import Tensor, functions, fused
from minitx.autograd.tensor import wrap


class Maker:
    """Makes the arguments of a call; ``array`` puts numbers into an array of the library."""

    def __init__(self, array: Callable = lambda data: data):
        self.array, self.leaves = array, []
        self.rng = np.random.default_rng(0)

    def tensor(self, values: np.ndarray) -> Tensor:
        leaf = wrap(self.array(values.astype(np.float32)), None)
        leaf.requires_grad = True
        self.leaves.append(leaf)
        return leaf

    def x(self, *shape: int) -> Tensor:
        """Numbers between 0.5 and 2."""
        return self.tensor(self.rng.uniform(0.5, 2, shape))

    def square(self, n: int) -> Tensor:
        """A matrix that can be inverted."""
        return self.tensor(self.rng.uniform(0, 1, (n, n)) + n * np.eye(n))

    def complex(self, *shape: int) -> Tensor:
        return self.x(*shape) * (1 + 2j)

    def ids(self, high: int, *shape: int) -> Tensor:
        return wrap(self.array(self.rng.integers(high, size=shape)), None)

    def mask(self, *shape: int) -> Tensor:
        return wrap(self.array(self.rng.random(shape) < 0.6), None)


def _attention(m, function):
    return function(m.x(2, 3, 70, 5), m.x(2, 3, 71, 5), m.x(2, 3, 71, 4), causal=True)


def _linear_attention(m, function, **options):
    q, k, v = m.x(2, 3, 11, 5), m.x(2, 3, 11, 5), m.x(2, 3, 11, 4)
    return function(q, k, v, -m.x(1, 3, 11), **options)


def _delta_rule(m, function, **options):
    q, k, v = (m.x(2, 3, 11, n) / 4 for n in (5, 5, 4))
    return function(q, k, v, m.x(2, 3, 11) / 2, **options)


UNARY = (
    "neg square reciprocal exp expm1 log log1p sqrt tanh sin cos arctan erf sigmoid softplus relu "
    "sign floor ceil round abs logical_not isnan isfinite stop_gradient squeeze transpose "
    "zeros_like ones_like tril triu flip "
    "sum mean max min prod var std norm logsumexp argmax argmin gelu silu softmax log_softmax glu "
    "naive_gelu_erf naive_gelu_tanh naive_silu naive_softmax naive_log_softmax "
    "sort argsort fft2 rfft2"
).split()
BINARY = (
    "add sub mul div power maximum minimum greater greater_equal less less_equal equal not_equal "
    "logical_and logical_or straight_through swiglu naive_swiglu"
).split()

CALLS: dict[str, Callable] = {
    **{name: lambda m, n=name: getattr(F, n)(m.x(3, 4)) for name in UNARY},
    **{name: lambda m, n=name: getattr(F, n)(m.x(3, 4), m.x(3, 4)) for name in BINARY},
    "real": lambda m: F.real(m.complex(3)),
    "imag": lambda m: F.imag(m.complex(3)),
    "conj": lambda m: F.conj(m.complex(3)),
    "clip": lambda m: F.clip(m.x(3), np.float64(0.7), 1.3),
    "where": lambda m: F.where(m.mask(3), m.x(3), np.float64(0.5)),
    "astype": lambda m: F.astype(m.x(3), np.float32),
    "reshape": lambda m: F.reshape(m.x(3, 4), 2, -1),
    "swapaxes": lambda m: F.swapaxes(m.x(3, 4), 0, 1),
    "moveaxis": lambda m: F.moveaxis(m.x(3, 4, 2), 0, 2),
    "expand_dims": lambda m: F.expand_dims(m.x(3), 0),
    "broadcast_to": lambda m: F.broadcast_to(m.x(3), 2, 3),
    "concatenate": lambda m: F.concatenate([m.x(3), m.x(2)]),
    "stack": lambda m: F.stack([m.x(3), m.x(3)]),
    "split": lambda m: F.split(m.x(6), 3),
    "pad": lambda m: F.pad(m.x(3), [(1, 2)], value=np.float64(0.5)),
    "roll": lambda m: F.roll(m.x(5), 2, 0),
    "repeat": lambda m: F.repeat(m.x(3), 2, 0),
    "tile": lambda m: F.tile(m.x(3), 2, 0),
    "getitem": lambda m: F.getitem(m.x(4, 3), (m.ids(4, 5), slice(1, None))),
    "scatter_add": lambda m: F.scatter_add(m.x(5, 2), m.ids(3, 5), (3, 2)),
    "take_along_axis": lambda m: F.take_along_axis(m.x(4, 3), m.ids(4, 2, 3), 0),
    "embedding": lambda m: F.embedding(m.x(5, 3), m.ids(5, 2, 4)),
    "matmul": lambda m: F.matmul(m.x(3, 4), m.x(4, 2)),
    "einsum": lambda m: F.einsum("ij,kj->ki", m.x(3, 4), m.x(2, 4)),
    "cumsum": lambda m: F.cumsum(m.x(3, 4), 1),
    "cumprod": lambda m: F.cumprod(m.x(3, 4), 1),
    "scan": lambda m: F.scan(m.x(4, 3), m.x(4, 3)),
    "tensor": lambda m: F.tensor(m.x(3)),
    "full": lambda m: F.full((3,), np.float64(2)),
    "zeros": lambda m: F.zeros((3,)),
    "ones": lambda m: F.ones((3,)),
    "full_like": lambda m: F.full_like(m.x(3), np.float64(2)),
    "arange": lambda m: F.arange(3, like=m.x(1)),
    "linear": lambda m: F.linear(m.x(2, 3, 4), m.x(5, 4), m.x(5)),
    "naive_linear": lambda m: F.naive_linear(m.x(2, 3, 4), m.x(5, 4), m.x(5)),
    "layer_norm": lambda m: F.layer_norm(m.x(3, 4), m.x(4), m.x(4), eps=np.float64(1e-5)),
    "naive_layer_norm": lambda m: F.naive_layer_norm(m.x(3, 4), m.x(4), m.x(4), np.float64(1e-5)),
    "rms_norm": lambda m: F.rms_norm(m.x(3, 4), m.x(4), eps=np.float64(1e-5)),
    "naive_rms_norm": lambda m: F.naive_rms_norm(m.x(3, 4), m.x(4), np.float64(1e-5)),
    "attention": lambda m: _attention(m, F.attention),
    "naive_attention": lambda m: _attention(m, F.naive_attention),
    "linear_attention": lambda m: _linear_attention(m, F.linear_attention, chunk=4),
    "naive_linear_attention": lambda m: _linear_attention(m, F.naive_linear_attention, chunk=4),
    "quadratic_linear_attention": lambda m: _linear_attention(m, F.quadratic_linear_attention),
    "recurrent_linear_attention": lambda m: _linear_attention(m, F.recurrent_linear_attention),
    "delta_rule": lambda m: _delta_rule(m, F.delta_rule, chunk=4),
    "naive_delta_rule": lambda m: _delta_rule(m, F.naive_delta_rule, chunk=4),
    "recurrent_delta_rule": lambda m: _delta_rule(m, F.recurrent_delta_rule),
    "delta_step": lambda m: F.delta_step(
        m.x(2, 3, 5, 4), m.x(2, 3, 1, 5), m.x(2, 3, 1, 5), m.x(2, 3, 1, 4), m.x(2, 3, 1)
    ),
    "cross_entropy": lambda m: F.cross_entropy(m.x(2, 3, 5), m.ids(5, 2, 3), mask=m.mask(2, 3)),
    "naive_cross_entropy": lambda m: F.naive_cross_entropy(m.x(3, 5), m.ids(5, 3).data),
    "topk": lambda m: F.topk(m.x(3, 5), 2)[0],
    "fft": lambda m: F.fft(m.x(3, 5)),
    "ifft": lambda m: F.ifft(m.complex(3, 5)),
    "rfft": lambda m: F.rfft(m.x(3, 5)),
    "irfft": lambda m: F.irfft(m.complex(3, 5)),
    "ifft2": lambda m: F.ifft2(m.complex(3, 5)),
    "irfft2": lambda m: F.irfft2(m.complex(3, 5)),
    "conv1d": lambda m: F.conv1d(m.x(2, 7, 4), m.x(6, 2, 3), m.x(6), padding="same", groups=2),
    "conv2d": lambda m: F.conv2d(m.x(2, 5, 6, 3), m.x(4, 3, 2, 3), stride=2),
    "conv_transpose1d": lambda m: F.conv_transpose1d(m.x(2, 5, 4), m.x(4, 3, 3), stride=2),
    "conv_transpose2d": lambda m: F.conv_transpose2d(m.x(2, 3, 4, 2), m.x(2, 3, 2, 2), stride=2),
    "unfold": lambda m: F.unfold(m.x(2, 7, 3), 3),
    "eye": lambda m: F.eye(3),
    "max_pool1d": lambda m: F.max_pool1d(m.x(2, 7, 3), 2),
    "max_pool2d": lambda m: F.max_pool2d(m.x(2, 5, 6, 3), 2, stride=1, padding=1),
    "avg_pool1d": lambda m: F.avg_pool1d(m.x(2, 7, 3), 2),
    "avg_pool2d": lambda m: F.avg_pool2d(m.x(2, 5, 6, 3), 2, padding=1, count_padding=False),
    "adaptive_avg_pool1d": lambda m: F.adaptive_avg_pool1d(m.x(2, 7, 3), 3),
    "adaptive_avg_pool2d": lambda m: F.adaptive_avg_pool2d(m.x(2, 5, 6, 3), (2, 4)),
    "grid_sample": lambda m: F.grid_sample(m.x(2, 5, 6, 3), m.x(2, 3, 4, 2) - 1.2),
    "solve": lambda m: F.solve(m.square(3), m.x(3, 2)),
    "solve_triangular": lambda m: F.solve_triangular(m.square(3), m.x(3, 2)),
    "inverse": lambda m: F.inverse(m.square(3)),
    "det": lambda m: F.det(m.square(3)),
    "slogdet": lambda m: F.slogdet(m.square(3)),
    "cholesky": lambda m: F.cholesky(m.square(3)),
    "qr": lambda m: F.qr(m.square(3)),
    "svd": lambda m: F.svd(m.square(3))[1],
    "eigh": lambda m: F.eigh(m.square(3))[0],
    "outer": lambda m: F.outer(m.x(3), m.x(4)),
    "trace": lambda m: F.trace(m.x(3, 3)),
    "diag": lambda m: F.diag(m.x(3)),
    "diagonal": lambda m: F.diagonal(m.x(3, 3)),
}

PUBLIC = sorted({*functions.__all__, *fused.__all__})
