"""Discrete Fourier transforms along one axis. Each is linear, and its rule is another of them.

The transform is a matrix W with W^H = n W^-1: its conjugate transpose is the inverse transform
with the other normalisation. A transform of ``n`` points cuts or pads its input, so its transpose
pads or cuts its output. The real transforms keep half of a spectrum that mirrors itself; the inner
entries of the half stand for two, which the transposes must halve (or double).
"""

from minitx.autograd.primitive import primitive
from minitx.autograd.rules.common import library

_DUAL = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _fit(F, x, length, axis):
    """``x`` cut or padded by zeros to ``length`` along ``axis``."""
    now = x.shape[axis]
    if now > length:
        return F.getitem(x, index=(slice(None),) * axis + (slice(0, length),))
    if now == length:
        return x
    width = [(0, 0)] * len(x.shape)
    width[axis] = (0, length - now)
    return F.pad(x, width=tuple(width))


def _inner(F, x, n, axis, factor):
    """``x``, a half spectrum of ``n`` points, with its inner entries times ``factor``."""
    xp = library(F, x)
    half = xp.arange(x.shape[axis])
    twice = (half > 0) & (2 * half < n)
    shape = [1] * len(x.shape)
    shape[axis] = -1
    weights = xp.where(twice, factor, 1.0).astype(f"f{x.dtype.itemsize // 2}")
    return x * weights.reshape(shape)


def _transpose_of_full(inverse):
    def rule(F, g, y, x, n, axis, norm):
        found = getattr(F, inverse)(g, n=n, axis=axis, norm=_DUAL[norm])
        return _fit(F, found, x.shape[axis], axis)

    return rule


def _rfft_vjp(F, g, y, x, n, axis, norm):
    found = F.irfft(_inner(F, g, n, axis, 0.5), n=n, axis=axis, norm=_DUAL[norm])
    return _fit(F, found, x.shape[axis], axis)


def _irfft_vjp(F, g, y, x, n, axis, norm):
    found = _inner(F, F.rfft(g, n=n, axis=axis, norm=_DUAL[norm]), n, axis, 2.0)
    return _fit(F, found, x.shape[axis], axis)


def _linear(name, rule):
    return primitive(
        name,
        lambda xp, x, n, axis, norm: getattr(xp.fft, name)(x, n=n, axis=axis, norm=norm),
        vjp=rule,
        kind="linear",
        saves="nothing",
        meets="float",
    )


fft_ = _linear("fft", _transpose_of_full("ifft"))
ifft_ = _linear("ifft", _transpose_of_full("fft"))
rfft_ = _linear("rfft", _rfft_vjp)
irfft_ = _linear("irfft", _irfft_vjp)
