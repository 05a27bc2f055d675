"""Discrete Fourier transforms with NumPy's arguments: ``n`` points along ``axis``, ``norm``."""

from collections.abc import Sequence
from typing import Any

from minitx.autograd.rules import fourier as rules
from minitx.autograd.rules.reductions import axes_of
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any


def fft(x: Like, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """y[k] = sum_t x[t] exp(-2 pi i k t / n): ``n`` complex entries along ``axis``.

    ``x`` is cut or padded with zeros to ``n`` points. ``norm`` says where the factor 1/n stands:
    "backward" (the default) at the inverse, "forward" here, "ortho" its root at both.
    """
    return _along("fft", rules.fft_, x, n, axis, norm)


def ifft(x: Like, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``fft``."""
    return _along("ifft", rules.ifft_, x, n, axis, norm)


def rfft(x: Like, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The half of ``fft`` that determines it for real ``x``: n // 2 + 1 complex entries."""
    if wrap_constant(x).dtype.kind == "c":
        raise TypeError(f"rfft expected a real Tensor, got {wrap_constant(x).dtype}; use fft")
    return _along("rfft", rules.rfft_, x, n, axis, norm)


def irfft(x: Like, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``rfft``: ``n`` real entries (2 (m - 1) from m, unless told otherwise)."""
    x = wrap_constant(x)
    if n is None:
        n = 2 * (x.shape[axes_of(axis, x.ndim)[0]] - 1)
    return _along("irfft", rules.irfft_, x, n, axis, norm)


def fft2(x: Like, s: Sequence[int] | None = None, axes: tuple[int, int] = (-2, -1),
         norm: str | None = None) -> Tensor:  # fmt: skip
    """``fft`` along two axes; ``s`` gives the points along each."""
    first, second = _two("fft2", s)
    return fft(fft(x, second, axes[1], norm), first, axes[0], norm)


def ifft2(x: Like, s: Sequence[int] | None = None, axes: tuple[int, int] = (-2, -1),
          norm: str | None = None) -> Tensor:  # fmt: skip
    """The inverse of ``fft2``."""
    first, second = _two("ifft2", s)
    return ifft(ifft(x, second, axes[1], norm), first, axes[0], norm)


def rfft2(x: Like, s: Sequence[int] | None = None, axes: tuple[int, int] = (-2, -1),
          norm: str | None = None) -> Tensor:  # fmt: skip
    """``fft2`` of a real Tensor; along the last of ``axes`` only the half that determines it."""
    first, second = _two("rfft2", s)
    return fft(rfft(x, second, axes[1], norm), first, axes[0], norm)


def irfft2(x: Like, s: Sequence[int] | None = None, axes: tuple[int, int] = (-2, -1),
           norm: str | None = None) -> Tensor:  # fmt: skip
    """The inverse of ``rfft2``."""
    first, second = _two("irfft2", s)
    return irfft(ifft(x, first, axes[0], norm), second, axes[1], norm)


def _along(name, transform, x, n, axis, norm):
    x = wrap_constant(x)
    (axis,) = axes_of(axis, x.ndim)
    n = x.shape[axis] if n is None else n
    if n < 1:
        raise ValueError(f"{name} expected at least 1 point, got {n} for an input {x.shape}")
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f'{name} expected norm "backward", "ortho" or "forward", got {norm!r}')
    return transform(x, n=int(n), axis=axis, norm=norm or "backward")


def _two(name, s):
    if s is not None and len(s) != 2:
        raise ValueError(f"{name} expected two numbers of points, got {s}")
    return s if s is not None else (None, None)


__all__ = ["fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2"]
