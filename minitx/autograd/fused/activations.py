"""Activations that take several steps: GELU (by tanh and by erf), SiLU, and the gated units."""

from minitx.autograd import functions as f
from minitx.autograd.fused.common import pieces, real_tensors
from minitx.autograd.primitive import fused
from minitx.autograd.rules.special import erf
from minitx.autograd.tensor import Tensor

_ROOT_TWO_OVER_PI = 0.7978845608028654
_CUBIC = 0.044715
_ONE_OVER_ROOT_TWO = 0.7071067811865476
_ONE_OVER_ROOT_TWO_PI = 0.3989422804014327


def _in_pieces(step):
    """Apply ``step(xp, *pieces, out)`` to arrays of one shape, a cached piece at a time."""

    def whole(xp, *arrays):
        flat = [xp.ascontiguousarray(array).reshape(-1) for array in arrays]
        out = xp.empty(flat[0].shape, arrays[0].dtype)
        for part in pieces(flat[0].size, 1):
            step(xp, *(array[part] for array in flat), out[part])
        return out.reshape(arrays[0].shape)

    return whole


def _gate(xp, x):
    """tanh(sqrt(2 / pi) (x + 0.044715 x^3))."""
    inner = x * x
    inner *= _CUBIC * _ROOT_TWO_OVER_PI
    inner += _ROOT_TWO_OVER_PI
    inner *= x
    return xp.tanh(inner, out=inner)


@_in_pieces
def _gelu_tanh(xp, x, out):
    t = _gate(xp, x)
    t += 1
    t *= 0.5
    xp.multiply(t, x, out=out)


@_in_pieces
def _gelu_tanh_derivative(xp, g, x, out):
    """0.5 (1 + t) + 0.5 x (1 - t^2) (inner)', with t = tanh(inner)."""
    t = _gate(xp, x)
    xp.multiply(x, x, out=out)
    out *= 3 * _CUBIC * _ROOT_TWO_OVER_PI
    out += _ROOT_TWO_OVER_PI
    out *= x
    t2 = t * t
    xp.subtract(1, t2, out=t2)
    out *= t2
    out += t
    out += 1
    out *= 0.5
    out *= g


@_in_pieces
def _gelu_erf(xp, x, out):
    e = erf(xp, x * _ONE_OVER_ROOT_TWO)
    e += 1
    e *= 0.5
    xp.multiply(e, x, out=out)


@_in_pieces
def _gelu_erf_derivative(xp, g, x, out):
    xp.exp(x * x * -0.5, out=out)
    out *= _ONE_OVER_ROOT_TWO_PI
    out *= x
    e = erf(xp, x * _ONE_OVER_ROOT_TWO)
    e += 1
    e *= 0.5
    out += e
    out *= g


def _sigmoid_of(xp, x):
    s = x * 0.5
    xp.tanh(s, out=s)
    s += 1
    s *= 0.5
    return s


@_in_pieces
def _silu(xp, x, out):
    xp.multiply(_sigmoid_of(xp, x), x, out=out)


@_in_pieces
def _silu_derivative(xp, g, x, out):
    """s (1 + x (1 - s)) with s = sigmoid(x)."""
    s = _sigmoid_of(xp, x)
    xp.subtract(1, s, out=out)
    out *= x
    out += 1
    out *= s
    out *= g


def naive_gelu_tanh(x: Tensor) -> Tensor:
    """0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    return 0.5 * x * (1 + f.tanh(_ROOT_TWO_OVER_PI * (x + _CUBIC * x * x * x)))


def naive_gelu_erf(x: Tensor) -> Tensor:
    """x times the probability that a standard normal number is below x."""
    return 0.5 * x * (1 + f.erf(x * _ONE_OVER_ROOT_TWO))


def naive_silu(x: Tensor) -> Tensor:
    """x sigmoid(x)."""
    return x * f.sigmoid(x)


def _unary(name, forward, derivative, naive):
    return fused(
        name,
        lambda xp, x: (forward(xp, x), None),
        lambda xp, g, y, _, x: [derivative(xp, g, x)],
        naive,
        saves="inputs",
    )


_gelu_tanh_ = _unary("gelu_tanh", _gelu_tanh, _gelu_tanh_derivative, naive_gelu_tanh)
_gelu_erf_ = _unary("gelu_erf", _gelu_erf, _gelu_erf_derivative, naive_gelu_erf)
_silu_ = _unary("silu", _silu, _silu_derivative, naive_silu)


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


def _gated(xp, gate, value):
    return _silu(xp, gate) * value, None


def _gated_backward(xp, g, y, _, gate, value):
    return [_silu_derivative(xp, g * value, gate), g * _silu(xp, gate)]


def naive_swiglu(gate: Tensor, value: Tensor) -> Tensor:
    """silu(gate) * value."""
    return gate * f.sigmoid(gate) * value


_swiglu_ = fused("swiglu", _gated, _gated_backward, naive_swiglu, saves="inputs")


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
