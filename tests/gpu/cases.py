"""What every kernel is asked, whoever runs it: values and gradients against the naive twin."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import functional as F
from minitx.autograd.graph import naive_twins
from minitx.autograd.tensor import wrap

INF = np.inf


def numbers(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """Normal numbers, the same on every run."""
    return scale * np.random.default_rng([seed, *shape]).standard_normal(shape)


def classes(high: int, *shape: int) -> np.ndarray:
    """Integers below ``high``."""
    return np.random.default_rng([high, *shape]).integers(high, size=shape)


def mask(*shape: int, hidden_row: int | None = None) -> np.ndarray:
    """Which pairs may meet, about two in three; one query may be left with nothing."""
    allowed = np.random.default_rng([7, *shape]).random(shape) < 0.65
    if hidden_row is not None:
        allowed[..., hidden_row, :] = False
    return allowed


def heads(b=2, h=3, t=5, s=7, d=4, width=6, scale=1.0) -> list[np.ndarray]:
    """Queries, keys and values."""
    q, k = numbers(b, h, t, d, scale=scale), numbers(b, h, s, d, seed=1, scale=scale)
    return [q, k, numbers(b, h, s, width, seed=2)]


def odd(x: np.ndarray, row: int, value: float) -> np.ndarray:
    """x with ``value`` at every second place of a row."""
    x[row, ::2] = value
    return x


def attend(allowed: Any = None, **options: Any) -> Callable:
    def call(place, q, k, v, *bias):
        given = None if allowed is None else place(allowed)
        return F.attention(q, k, v, mask=given, bias=bias[0] if bias else None, **options)

    return call


def entropy(high: int, *shape: int, **options: Any) -> Callable:
    return lambda place, x: F.cross_entropy(x, place(classes(high, *shape)), **options)


def normed(width: int, rows: tuple = (3,), scale: float = 1.0) -> list[np.ndarray]:
    return [numbers(*rows, width, scale=scale), numbers(width, seed=1), numbers(width, seed=2)]


def both(function: Callable) -> Callable:
    return lambda place, *given: function(*given)


layer_norm, rms_norm = both(F.layer_norm), both(lambda x, w, _: F.rms_norm(x, w))
# kernel: {what is asked: (function of a placing and Tensors, arrays)}
CASES: dict[str, dict[str, tuple[Callable, list[np.ndarray]]]] = {
    "softmax": {
        **{f"width {n}": (both(F.softmax), [numbers(3, n)]) for n in (1, 48, 64, 1000)},
        "axis 1 of 3": (both(lambda x: F.softmax(x, 1)), [numbers(2, 37, 5)]),
        "large scores": (both(F.softmax), [numbers(3, 33, scale=1e4)]),
        "-inf at some places": (both(F.softmax), [odd(numbers(3, 33), 1, -INF)]),
        "a row of -inf": (both(F.softmax), [odd(odd(numbers(3, 1), 1, -INF), 2, -INF)]),
    },
    "log_softmax": {
        **{f"width {n}": (both(F.log_softmax), [numbers(3, n)]) for n in (1, 48, 1000)},
        "axis 0": (both(lambda x: F.log_softmax(x, 0)), [numbers(35, 3)]),
        "large scores": (both(F.log_softmax), [numbers(3, 33, scale=1e4)]),
    },
    "normalise": {
        **{f"LayerNorm, width {n}": (layer_norm, normed(n)) for n in (1, 48, 64, 1000)},
        **{f"RMSNorm, width {n}": (rms_norm, normed(n)) for n in (1, 48, 64, 1000)},
        "LayerNorm, 700 rows": (layer_norm, normed(5, (2, 350))),
        "RMSNorm, 700 rows": (rms_norm, normed(37, (700,))),
        "LayerNorm, large numbers": (layer_norm, normed(48, scale=1e4)),
        "LayerNorm, far from 0": (layer_norm, [normed(48)[0] + 1e3, *normed(48)[1:]]),
    },
    "activation": {
        **{
            f"{name}, {n} numbers": (both(function), [numbers(n, scale=2)])
            for name, function in {
                "GELU by tanh": F.gelu,
                "GELU by erf": lambda x: F.gelu(x, "none"),
                "SiLU": F.silu,
            }.items()
            for n in (1, 300, 1000)
        },
        "GELU by tanh, large": (both(F.gelu), [numbers(33, scale=1e4)]),
        "SiLU, large": (both(F.silu), [numbers(33, scale=1e4)]),
    },
    "swiglu": {
        f"{n} numbers": (both(F.swiglu), [numbers(3, n), numbers(3, n, seed=1)]) for n in (1, 333)
    },
    "cross_entropy": {
        **{f"{n} classes": (entropy(n, 3), [numbers(3, n)]) for n in (1, 48, 65, 1000)},
        "smoothed": (entropy(37, 2, 3, label_smoothing=0.2), [numbers(2, 3, 37)]),
        "large logits": (entropy(37, 5), [numbers(5, 37, scale=1e4)]),
        "a class that cannot be": (
            lambda place, x: F.cross_entropy(x, place(np.array([1, 2, 4]))),
            [odd(numbers(3, 7), 0, -INF)],
        ),
    },
    "attention": {
        "plain": (attend(), heads()),
        "causal": (attend(causal=True), heads()),
        "causal, more queries than keys": (attend(causal=True), heads(t=7, s=5)),
        "one of each": (attend(), heads(t=1, s=1, d=1, width=1)),
        "a mask": (attend(mask(2, 3, 5, 7)), heads()),
        "a mask for all heads": (attend(mask(2, 1, 1, 7)), heads()),
        "a mask and causal": (attend(mask(5, 7), causal=True), heads()),
        "a query that may hear nothing": (attend(mask(5, 7, hidden_row=2)), heads()),
        "a whole tile that may hear nothing": (attend(np.zeros((70, 9), bool)), heads(t=70, s=9)),
        "off the tiles": (attend(causal=True), heads(b=1, h=2, t=77, s=77)),
        "keys off the tiles": (attend(mask(9, 101)), heads(b=1, h=2, t=9, s=101)),
        "a cache": (attend(causal=True), heads(b=1, h=1, t=35, s=99)),
        "a bias": (attend(), [*heads(), numbers(2, 3, 5, 7, seed=3)]),
        "a bias for all, causal": (attend(causal=True), [*heads(), numbers(3, 1, 7, seed=3)]),
        "a bias of -inf": (attend(), [*heads(), odd(numbers(5, 7, seed=3), 2, -INF)]),
        "large scores": (attend(causal=True), heads(t=40, s=40, scale=50.0)),
        "a scale": (attend(scale=0.3), heads()),
        "grouped queries": (attend(), [numbers(2, 6, 5, 4), *heads()[1:]]),
        **{
            f"heads of width {d}": (attend(causal=True), heads(b=1, h=1, t=37, s=37, d=d, width=d))
            for d in (48, 64)
        },
    },
    "add_rows": {
        "an embedding": (
            lambda place, x: F.embedding(x, wrap(place(classes(5, 3, 11)), None)), [numbers(7, 33)]
        ),
    },
}  # fmt: skip
ALL = [(kernel, case) for kernel, cases in CASES.items() for case in cases]


def differences(kernel: str, case: str, dtype: Any, array: Callable) -> list[tuple]:
    """(got, expected, plain) of the value and of every gradient, one of each three.

    ``array`` brings numbers to a device, where they are got; what is expected comes from the naive
    twin in float64, and plain is the fused form on NumPy's arrays.
    """
    function, given = CASES[kernel][case]
    given = [x.astype(dtype) for x in given]

    def run(place: Callable, of: Any) -> list[np.ndarray]:
        leaves = [wrap(place(x.astype(of)), None) for x in given]
        for leaf in leaves:
            leaf.requires_grad = True
        y = function(place, *leaves)
        g = numbers(*y.shape, seed=9).astype(of)
        y.backward(wrap(place(g), None))
        return [y.numpy(), *(leaf.grad.numpy() for leaf in leaves if leaf.grad is not None)]

    got, plain = run(array, dtype), run(np.array, dtype)
    with naive_twins():
        expected = run(np.array, np.float64)
    return list(zip(got, expected, plain, strict=True))


def compare(found: list[tuple], dtype: Any) -> None:
    """The numbers agree to what their type can hold, or as well as those of the plain form do.

    (What is left of a difference of great numbers is small, and as far off as they are.)
    """
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    for got, expected, plain in found:
        assert got.dtype == dtype
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(got), finite)
        np.testing.assert_array_equal(got[~finite], expected[~finite])
        size, worst, usual = (
            np.abs(x[finite] - y[finite]).max(initial=0)
            for x, y in ((expected, 0 * got), (got, expected), (plain, expected))
        )
        assert worst <= max(tolerance * size, 4 * usual), f"off by {worst:.3g} of {size:.3g}"
