"""Products: linear layers, and the gradient of an embedding."""

from __future__ import annotations

from typing import Any

from minitx.backend.kernels.device import Device, row_threads
from minitx.backend.kernels.rows import sums_over_rows


def _linear(device: Device, x: Any, weight: Any, bias: Any = None) -> Any:
    if not device.covers(*([x, weight] if bias is None else [x, weight, bias])):
        return None
    y = device.product(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0]), None


def _linear_backward(
    device: Device, g: Any, y: Any, _: Any, x: Any, weight: Any, bias: Any = None
) -> list:
    g = device.xp.ascontiguousarray(g).reshape(-1, g.shape[-1])
    rows = x.reshape(-1, x.shape[-1])
    found = [device.product(g, weight).reshape(x.shape), device.product(g.T, rows)]
    return found if bias is None else found + sums_over_rows(device, g, None, True)


linear = _linear, _linear_backward


def matmul(device: Device, a: Any, b: Any) -> Any:
    """a @ b at the precision that was chosen."""
    return device.product(a, b) if device.covers(a, b) else None


def add_rows(device: Device, values: Any, ids: Any, rows: int) -> Any:
    """(rows, D): the sum of ``values`` (..., D) over equal ``ids`` (...)."""
    if not device.covers(values) or values.ndim != ids.ndim + 1 or type(ids) is not type(values):
        return None
    xp, width = device.xp, values.shape[-1]
    found = xp.zeros((rows, width), values.dtype)
    device.launch(
        "embedding/add_rows", values.dtype, ids.size, row_threads(width),
        found, xp.ascontiguousarray(values), xp.ascontiguousarray(ids.astype(xp.int64, copy=False)),
        ids.size, width, rows,
    )  # fmt: skip
    return found
