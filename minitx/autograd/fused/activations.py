"""Activations that take several steps: GELU (by tanh and by erf), SiLU, and the gated units."""

from minitx.autograd import functions as f
from minitx.autograd.fused.common import pieces, real_tensors
from minitx.autograd.graph import mode
from minitx.autograd.primitive import fused
from minitx.autograd.rules.special import erf
from minitx.autograd.tensor import Tensor

_ROOT_TWO_OVER_PI = 0.7978845608028654
_CUBIC = 0.044715
_ONE_OVER_ROOT_TWO = 0.7071067811865476
_ONE_OVER_ROOT_TWO_PI = 0.3989422804014327


def _activation(name, step, naive):
    """A fused activation from ``step(xp, x, y, dy)``, which fills in y = f(x) and dy = f'(x).

    The derivative is made while the numbers of the function are at hand and in cache, and is all
    that is kept for the backward computation. ``dy`` is None when there will be none.
    """

    def forward(xp, x):
        flat = xp.ascontiguousarray(x).reshape(-1)
        y, dy = xp.empty_like(flat), xp.empty_like(flat) if mode.recording else None
        for part in pieces(flat.size, 1):
            step(xp, flat[part], y[part], None if dy is None else dy[part])
        return y.reshape(x.shape), None if dy is None else dy.reshape(x.shape)

    def backward(xp, g, y, derivative, x):
        return [g * derivative]

    return fused(name, forward, backward, naive, saves="nothing")


def _gelu_tanh(xp, x, y, dy):
    """y = x P with P = (1 + tanh u) / 2; dy = P + 2 u' (1 - P) y, where u' is a + 3 b x^2."""
    square = x * x
    p = square * (_CUBIC * _ROOT_TWO_OVER_PI)
    p += _ROOT_TWO_OVER_PI
    p *= x
    xp.tanh(p, out=p)
    p *= 0.5
    p += 0.5
    xp.multiply(p, x, out=y)
    if dy is not None:
        xp.multiply(square, 6 * _CUBIC * _ROOT_TWO_OVER_PI, out=dy)
        dy += 2 * _ROOT_TWO_OVER_PI
        xp.subtract(1, p, out=square)
        dy *= square
        dy *= y
        dy += p


def _gelu_erf(xp, x, y, dy):
    """y = x P with P = (1 + erf(x / sqrt 2)) / 2; dy = P + x exp(-x^2 / 2) / sqrt(2 pi)."""
    p = erf(xp, x, _ONE_OVER_ROOT_TWO)
    p *= 0.5
    p += 0.5
    xp.multiply(p, x, out=y)
    if dy is not None:
        xp.multiply(x, x, out=dy)
        dy *= -0.5
        xp.exp(dy, out=dy)
        dy *= _ONE_OVER_ROOT_TWO_PI
        dy *= x
        dy += p


def _silu(xp, x, y, dy):
    """y = x s with s = sigmoid(x); dy = s + y (1 - s)."""
    s = x * 0.5
    xp.tanh(s, out=s)
    s *= 0.5
    s += 0.5
    xp.multiply(s, x, out=y)
    if dy is not None:
        xp.subtract(1, s, out=dy)
        dy *= y
        dy += s


def naive_gelu_tanh(x: Tensor) -> Tensor:
    """0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    return 0.5 * x * (1 + f.tanh(_ROOT_TWO_OVER_PI * (x + _CUBIC * x * x * x)))


def naive_gelu_erf(x: Tensor) -> Tensor:
    """x times the probability that a standard normal number is below x."""
    return 0.5 * x * (1 + f.erf(x * _ONE_OVER_ROOT_TWO))


def naive_silu(x: Tensor) -> Tensor:
    """x sigmoid(x)."""
    return x * f.sigmoid(x)


_gelu_tanh_ = _activation("gelu_tanh", _gelu_tanh, naive_gelu_tanh)
_gelu_erf_ = _activation("gelu_erf", _gelu_erf, naive_gelu_erf)
_silu_ = _activation("silu", _silu, naive_silu)


def gelu(x: Tensor, approximate: str = "tanh") -> Tensor:
    """x P(Z <= x) for a standard normal Z.

    ``approximate="tanh"`` (default, as GPT-2) is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)));
    ``"none"`` (as BERT, and PyTorch's default) uses the error function.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016).
    """
    if approximate not in ("tanh", "none"):
        raise ValueError(f"approximate must be 'tanh' or 'none', got {approximate!r}")
    (x,) = real_tensors(x)
    return _gelu_tanh_(x) if approximate == "tanh" else _gelu_erf_(x)


def silu(x: Tensor) -> Tensor:
    """x sigmoid(x), also called swish."""
    (x,) = real_tensors(x)
    return _silu_(x)


# ---------------------------------------------------------------------------- gated units


def _swiglu(xp, gate, value):
    act, derivative = _silu_.forward(xp, gate)
    return act * value, (act, derivative)


def _swiglu_backward(xp, g, y, residual, gate, value):
    act, derivative = residual
    g_gate = g * value
    g_gate *= derivative
    return [g_gate, g * act]


def naive_swiglu(gate: Tensor, value: Tensor) -> Tensor:
    """silu(gate) * value."""
    return gate * f.sigmoid(gate) * value


_swiglu_ = fused("swiglu", _swiglu, _swiglu_backward, naive_swiglu, saves="inputs")


def swiglu(gate: Tensor, value: Tensor) -> Tensor:
    """silu(gate) * value: the gated unit of Llama. Both (..., D).

    Source: Shazeer, "GLU Variants Improve Transformer" (2020).
    """
    gate, value = real_tensors(gate, value)
    if gate.shape != value.shape:
        raise ValueError(f"swiglu expected equal shapes, got {gate.shape} and {value.shape}")
    return _swiglu_(gate, value)


def glu(x: Tensor, activation=f.sigmoid, axis: int = -1) -> Tensor:
    """activation(a) * b, where a and b are the first and second half of ``x`` along ``axis``.

    (PyTorch's ``glu`` activates the second half.)
    """
    first, second = f.split(x, 2, axis)
    return activation(first) * second
