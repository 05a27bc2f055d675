"""Primitives that act on each entry alone: arithmetic, exponentials, comparisons, choices.

The Jacobian of each is diagonal, so its rule is its own transpose and forward mode needs no rule
of its own. A rule multiplies the cotangent by the conjugate of the derivative; for real numbers
``F.conj`` does nothing.
"""

import cmath
import math

from minitx.autograd.primitive import primitive
from minitx.autograd.rules.special import erf as _erf

_TWO_OVER_ROOT_PI = 1.1283791670955126


def _conj(xp, x):
    return x.conjugate() if getattr(x, "dtype", None) is None or x.dtype.kind == "c" else x


def elementwise(name, forward, *rules, saves="both", meets="float"):
    """Enter a primitive with a diagonal Jacobian in the table: one rule per argument."""
    return primitive(name, forward, vjp=rules, kind="elementwise", saves=saves, meets=meets)


def _one_less(F, a, b):
    """The exponent b - 1, but 1 where a and b are 0: b a^(b-1) is 0 there, not 0 / 0."""
    if isinstance(b, (int, float, complex)):
        return b - 1
    return F.where(F.logical_or(F.nonzero(a), F.nonzero(b)), b - 1, 1)


def _log_of_base(F, a):
    """log a, but 0 where a is 0: there a^b is 0 whatever b."""
    if isinstance(a, (int, float, complex)):
        return cmath.log(a) if isinstance(a, complex) else math.log(a) if a else 0.0
    return F.log(F.where(F.nonzero(a), a, 1))


# fmt: off
# ------------------------------------------------------------------------ arithmetic
add = elementwise("add", lambda xp, a, b: xp.add(a, b),
    lambda F, g, y, a, b: g,
    lambda F, g, y, a, b: g, saves="nothing", meets=True)
sub = elementwise("sub", lambda xp, a, b: xp.subtract(a, b),
    lambda F, g, y, a, b: g,
    lambda F, g, y, a, b: -g, saves="nothing", meets=True)
mul = elementwise("mul", lambda xp, a, b: xp.multiply(a, b),
    lambda F, g, y, a, b: g * F.conj(b),
    lambda F, g, y, a, b: g * F.conj(a), saves="inputs", meets=True)
div = elementwise("div", lambda xp, a, b: xp.divide(a, b),
    lambda F, g, y, a, b: g / F.conj(b),
    lambda F, g, y, a, b: -g * F.conj(y / b))
neg = elementwise("neg", lambda xp, x: xp.negative(x),
    lambda F, g, y, x: -g, saves="nothing", meets=True)
square = elementwise("square", lambda xp, x: xp.multiply(x, x),
    lambda F, g, y, x: g * F.conj(2 * x), saves="inputs", meets=True)
reciprocal = elementwise("reciprocal", lambda xp, x: xp.divide(1, x),
    lambda F, g, y, x: -g * F.conj(y * y), saves="output")
power = elementwise("power", lambda xp, a, b: xp.power(a, b),
    lambda F, g, y, a, b: g * F.conj(b * F.power(a, _one_less(F, a, b))),
    lambda F, g, y, a, b: g * F.conj(y * _log_of_base(F, a)))
power_of = elementwise("power_of", lambda xp, x, n: xp.power(x, n),
    lambda F, g, y, x, n: g * F.conj(n * F.power_of(x, n=n - 1)) if n else g * 0.0, saves="inputs")

# --------------------------------------------------------- exponentials and the like
exp = elementwise("exp", lambda xp, x: xp.exp(x),
    lambda F, g, y, x: g * F.conj(y), saves="output")
expm1 = elementwise("expm1", lambda xp, x: xp.expm1(x),
    lambda F, g, y, x: g * F.conj(y + 1), saves="output")
log = elementwise("log", lambda xp, x: xp.log(x),
    lambda F, g, y, x: g / F.conj(x), saves="inputs")
log1p = elementwise("log1p", lambda xp, x: xp.log1p(x),
    lambda F, g, y, x: g / F.conj(1 + x), saves="inputs")
sqrt = elementwise("sqrt", lambda xp, x: xp.sqrt(x),
    lambda F, g, y, x: g / F.conj(2 * y), saves="output")
tanh = elementwise("tanh", lambda xp, x: xp.tanh(x),
    lambda F, g, y, x: g - g * F.conj(y * y), saves="output")
sin = elementwise("sin", lambda xp, x: xp.sin(x),
    lambda F, g, y, x: g * F.conj(F.cos(x)), saves="inputs")
cos = elementwise("cos", lambda xp, x: xp.cos(x),
    lambda F, g, y, x: -g * F.conj(F.sin(x)), saves="inputs")
arctan = elementwise("arctan", lambda xp, x: xp.arctan(x),
    lambda F, g, y, x: g / F.conj(1 + x * x), saves="inputs")
erf = elementwise("erf", _erf,
    lambda F, g, y, x: g * (_TWO_OVER_ROOT_PI * F.exp(-x * x)), saves="inputs")


def _sigmoid(xp, x):
    if x.dtype.kind == "c":
        return 1 / (1 + xp.exp(-x))
    small = xp.exp(-xp.abs(x))  # never overflows, and keeps its digits where sigmoid is near 0
    return xp.where(x >= 0, 1, small) / (1 + small)


def _softplus(xp, x):
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


sigmoid = elementwise("sigmoid", _sigmoid,
    lambda F, g, y, x: g * F.conj(y * (1 - y)), saves="output")
softplus = elementwise("softplus", _softplus,
    lambda F, g, y, x: g * F.sigmoid(x), saves="inputs")

# ------------------------------------------------- pieces: signs, bounds and choices
relu = elementwise("relu", lambda xp, x: xp.maximum(x, 0),
    lambda F, g, y, x: g * (y > 0), saves="output", meets=True)
clip = elementwise("clip", lambda xp, x, low, high: xp.clip(x, low, high),
    lambda F, g, y, x, low, high: g * F.within(x, low=low, high=high), saves="inputs", meets=True)
maximum = elementwise("maximum", lambda xp, a, b: xp.maximum(a, b),
    lambda F, g, y, a, b: g * F.share(a, b),
    lambda F, g, y, a, b: g * F.share(b, a), saves="inputs", meets=True)
minimum = elementwise("minimum", lambda xp, a, b: xp.minimum(a, b),
    lambda F, g, y, a, b: g * F.share(a, b, least=True),
    lambda F, g, y, a, b: g * F.share(b, a, least=True), saves="inputs", meets=True)
select = elementwise("select", lambda xp, a, b, condition: xp.where(condition, a, b),
    lambda F, g, y, a, b, condition: F.where(condition, g, 0),
    lambda F, g, y, a, b, condition: F.where(condition, 0, g), saves="nothing", meets=True)

# ------------------------------------------------------------------- complex numbers
# conj, real and imag are linear over the reals, and |x| has the direction of x as its gradient.
conj = primitive("conj", _conj,
    vjp=lambda F, g, y, x: F.conj(g), kind="linear", saves="nothing")
real = primitive("real", lambda xp, x: xp.real(x),
    vjp=lambda F, g, y, x: g, kind="linear", saves="nothing")
imag = primitive("imag", lambda xp, x: xp.imag(x),
    vjp=lambda F, g, y, x: g * 1j, kind="linear", saves="nothing")
absolute = primitive("absolute", lambda xp, x: xp.abs(x),
    vjp=lambda F, g, y, x: g * F.direction(x), saves="both", meets=True)
astype = primitive("astype", lambda xp, x, dtype: x.astype(dtype, copy=False),
    vjp=lambda F, g, y, x, dtype: g, kind="linear", saves="nothing")


# ------------------------------------------------- without derivative: masks and tests
def undifferentiable(name, forward, meets=True):
    """Enter a primitive whose output does not vary smoothly with its arguments."""
    return primitive(name, forward, vjp=None, meets=meets)


greater = undifferentiable("greater", lambda xp, a, b: xp.greater(a, b))
greater_equal = undifferentiable("greater_equal", lambda xp, a, b: xp.greater_equal(a, b))
less = undifferentiable("less", lambda xp, a, b: xp.less(a, b))
less_equal = undifferentiable("less_equal", lambda xp, a, b: xp.less_equal(a, b))
equal = undifferentiable("equal", lambda xp, a, b: xp.equal(a, b))
not_equal = undifferentiable("not_equal", lambda xp, a, b: xp.not_equal(a, b))
logical_and = undifferentiable("logical_and", lambda xp, a, b: xp.logical_and(a, b))
logical_or = undifferentiable("logical_or", lambda xp, a, b: xp.logical_or(a, b))
logical_not = undifferentiable("logical_not", lambda xp, x: xp.logical_not(x))
isnan = undifferentiable("isnan", lambda xp, x: xp.isnan(x))
isfinite = undifferentiable("isfinite", lambda xp, x: xp.isfinite(x))
floor = undifferentiable("floor", lambda xp, x: xp.floor(x), meets="float")
ceil = undifferentiable("ceil", lambda xp, x: xp.ceil(x), meets="float")
round = undifferentiable("round", lambda xp, x: xp.round(x), meets="float")
nonzero = undifferentiable("nonzero", lambda xp, x: xp.not_equal(x, 0))
within = undifferentiable("within", lambda xp, x, low, high:
    (x >= (-xp.inf if low is None else low)) & (x <= (xp.inf if high is None else high)))
# fmt: on


@primitive("share", vjp=None, meets=True)
def share(xp, a, b, least=False):
    """a's part in max(a, b), or in min(a, b) with ``least``: all, nothing, or half of a tie."""
    wins = xp.less(a, b) if least else xp.greater(a, b)
    return wins.astype(a.dtype) + 0.5 * xp.equal(a, b).astype(a.dtype)


@primitive("direction", vjp=lambda F, g, y, x: _direction_vjp(F, g, y, x), meets=True)
def direction(xp, x):
    """x / |x|, and 0 where x is 0: the sign of a real number, the phase of a complex one."""
    if x.dtype.kind != "c":
        return xp.sign(x)
    size = xp.abs(x)
    return x / xp.where(size > 0, size, 1)


sign = direction


def _direction_vjp(F, g, y, x):
    if x.dtype.kind != "c":
        return g * 0.0
    size = F.absolute(x)  # only the part of g across the phase turns it
    across = g - y * F.real(F.conj(y) * g)
    return across / F.where(size > 0, size, 1)


replace_value = primitive(  # the straight-through estimator: another value, the same derivative
    "replace_value",
    lambda xp, x, value: xp.broadcast_to(value, x.shape).astype(x.dtype),
    vjp=lambda F, g, y, x, value: g,
    saves="nothing",
)
