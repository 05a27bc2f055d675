"""Proof that a derivative is right: random directions, both modes, first and second order.

For a function f, a random tangent t and a random cotangent u, three numbers must agree:
<u, J t> by finite differences, <u, jvp(t)>, and <vjp(u), t>. A fixed direction (all ones, or one
coordinate) cannot see many mistakes; a random one sees nearly all. The second order checks the
function x -> vjp(u) in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd import transforms
from minitx.autograd.tensor import Tensor, wrap_constant
from minitx.autograd.tree import flatten


def check_grads(
    function: Callable,
    *args: Any,
    modes: tuple[str, ...] = ("fwd", "rev"),
    order: int = 2,
    tolerance: float = 1e-6,
    rng: np.random.Generator | int = 0,
) -> float:
    """Raise AssertionError unless the derivatives of ``function`` at ``args`` are right.

    ``args`` are trees of float64 (or complex128) Tensors. Returns the largest disagreement seen,
    relative to the size of the numbers compared.
    """
    rng = backend.generator(rng)
    leaves, build = flatten(args)
    leaves = [wrap_constant(leaf) for leaf in leaves]
    for leaf in leaves:
        if leaf.dtype not in (np.float64, np.complex128):
            raise TypeError(f"check_grads expected float64 or complex128 Tensors, got {leaf.dtype}")
    return _check(lambda *xs: function(*build(list(xs))), leaves, modes, order, tolerance, rng)


def _check(function, leaves, modes, order, tolerance, rng, seen=1) -> float:
    tangents = [_random(leaf, rng) for leaf in leaves]
    outputs = _flat(function(*leaves))
    cotangents = [_random(out, rng) for out in outputs]
    expected = _difference(function, leaves, tangents, cotangents)
    worst = 0.0
    if "fwd" in modes:
        _, pushed = transforms.jvp(lambda *xs: _flat(function(*xs)), tuple(leaves), tuple(tangents))
        worst = max(worst, _compare("jvp", seen, _inner(cotangents, pushed), expected, tolerance))
    if "rev" in modes:
        _, pull = transforms.vjp(lambda *xs: _flat(function(*xs)), *leaves)
        got = _inner(pull(cotangents), tangents)
        worst = max(worst, _compare("vjp", seen, got, expected, tolerance))
    if order > 1:

        def gradient(*xs):
            _, pull = transforms.vjp(lambda *ys: _flat(function(*ys)), *xs)
            return list(pull(cotangents))

        worst = max(worst, _check(gradient, leaves, modes, order - 1, tolerance, rng, seen + 1))
    return worst


def _flat(result: Any) -> list[Tensor]:
    outputs = [wrap_constant(out) for out in flatten(result)[0]]
    return [out for out in outputs if out.dtype.kind in "fc"]


def _random(like: Tensor, rng: np.random.Generator) -> Tensor:
    value = rng.standard_normal(like.shape)
    if like.dtype.kind == "c":
        value = value + 1j * rng.standard_normal(like.shape)
    return Tensor(value, dtype=like.dtype)


def _inner(left, right) -> float:
    """The real inner product Re <a, b>, summed over all pairs."""
    total = 0.0
    for a, b in zip(left, right, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise AssertionError(
                f"a derivative of {a.dtype} {a.shape} meets one of {b.dtype} {b.shape}"
            )
        total += float(np.vdot(a.numpy(), b.numpy()).real)
    return total


def _difference(function, leaves, tangents, cotangents, step=1e-5) -> float:
    """<u, J t> from four values of the function: an error of order step^4."""

    def along(scale: float) -> float:
        moved = [
            Tensor(leaf.data + scale * step * t.data, dtype=leaf.dtype)
            for leaf, t in zip(leaves, tangents, strict=True)
        ]
        return _inner(cotangents, _flat(function(*moved)))

    return (8 * (along(1) - along(-1)) - (along(2) - along(-2))) / (12 * step)


def _compare(name: str, order: int, got: float, expected: float, tolerance: float) -> float:
    error = abs(got - expected) / max(1.0, abs(expected))
    if not error <= tolerance:
        raise AssertionError(
            f"{name} of order {order} is {got:.12g}, finite differences say {expected:.12g}: "
            f"relative error {error:.2g}, allowed {tolerance:g}"
        )
    return error
