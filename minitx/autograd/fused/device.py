"""The door to a GPU's kernels: they stand before the fused primitives once a device is in use.

Nothing happens before the first array is moved to a device, so the CPU pays nothing. From then on
a primitive of ``DOORS`` asks its kernel first; where the kernel does not cover the arguments (their
type, a head too wide), and for arrays of NumPy, its own forward computation runs as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from minitx import backend
from minitx.autograd.spaces import TABLE

# primitive: the file of minitx.backend.kernels that launches its kernel, under the same name
DOORS = {
    "softmax": "rows", "log_softmax": "rows", "layer_norm": "rows", "rms_norm": "rows",
    "cross_entropy": "rows", "gelu_tanh": "activations", "gelu_erf": "activations",
    "silu": "activations", "swiglu": "activations", "attention": "attention",
    "tiled_attention": "attention", "linear": "products", "matmul": "products",
    "add_rows": "products",
}  # fmt: skip
_DEVICES: dict[Any, Any] = {}  # library: its kernels


class _Kept:
    """What a kernel left for the way back, so that the way back is a kernel's too."""

    __slots__ = ("values",)

    def __init__(self, values: Any):
        self.values = values


def open_doors(device: Any) -> None:
    """Let the primitives of ``DOORS`` run the kernels of ``device`` on arrays of its library."""
    _hang_doors()
    _DEVICES[device.xp] = device


def close_doors(library: Any) -> None:
    """Let arrays of ``library`` do without kernels again."""
    _DEVICES.pop(library, None)


@cache
def _hang_doors() -> None:
    """Once and for good: through a door that is closed a primitive computes as ever."""
    for name, file in DOORS.items():
        op = TABLE[name]
        rule = getattr(import_module(f"minitx.backend.kernels.{file}"), name)
        if op.fused:
            op.forward, op.backward = _fused(op.forward, op.backward, *rule)
        else:
            op.forward = _plain(op.forward, rule)


def _plain(forward: Callable, kernel: Callable) -> Callable:
    def through_the_door(xp, *arrays, **params):
        device = _DEVICES.get(xp)
        found = None if device is None else kernel(device, *arrays, **params)
        return forward(xp, *arrays, **params) if found is None else found

    return through_the_door


def _fused(forward: Callable, backward: Callable, kernel: Callable, kernel_back: Callable) -> tuple:
    def forwards(xp, *arrays, **params):
        device = _DEVICES.get(xp)
        found = None if device is None else kernel(device, *arrays, **params)
        if found is None:
            return forward(xp, *arrays, **params)
        return found[0], _Kept(found[1])

    def backwards(xp, g, y, residual, *arrays, **params):
        if type(residual) is not _Kept:
            return backward(xp, g, y, residual, *arrays, **params)
        return kernel_back(_DEVICES[xp], g, y, residual.values, *arrays, **params)

    return forwards, backwards


backend.when_a_device_is_used(open_doors)
