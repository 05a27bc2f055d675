"""Attention by tiles: which tiles fit a head of some width, and how the kernels are launched."""

from __future__ import annotations

from functools import cache
from typing import Any

from minitx.backend.kernels.device import Device, layout

_SHARED = 48 << 10  # bytes of shared memory that every GPU gives a block
_TILES = ((64, 32), (32, 32), (32, 16), (16, 16), (16, 8))  # queries and keys, largest first
_THREADS = 256


@cache
def _tile(width: int, value_width: int, itemsize: int, backward: bool) -> dict[str, int] | None:
    """Sizes of the largest tile that fits, or None where a head is too wide for any."""
    for rows, keys in _TILES:
        of_rows = width + value_width + 4 if backward else width + 1
        numbers = rows * of_rows + keys * (width + value_width + 2)
        numbers += (2 if backward else 1) * rows * (keys + 1)
        if numbers * itemsize <= _SHARED:
            return {"WIDTH": width, "VALUES": value_width, "ROWS": rows, "KEYS": keys}
    return None


def _forward(
    device: Device, q: Any, k: Any, v: Any, bias: Any = None, *, mask: Any, causal: bool,
    scale: float,
) -> Any:  # fmt: skip
    given = [q, k, v] if bias is None else [q, k, v, bias]
    if not device.covers(*given) or (mask is not None and type(mask) is not type(q)):
        return None
    sizes = [_tile(q.shape[-1], v.shape[-1], q.dtype.itemsize, way) for way in (False, True)]
    if None in sizes:
        return None
    q, k, v = (_rows_whole(device, x) for x in (q, k, v))
    (b, h, t, _), s = q.shape, k.shape[-2]
    y = _like_heads(device, q, v.shape[-1])
    logs = device.xp.empty((b, h, t), q.dtype)
    device.launch(
        "attention/attention", q.dtype, b * h * -(-t // sizes[0]["ROWS"]), _THREADS,
        y, logs, q, k, v, mask, bias, *map(layout, (q, k, v, mask, bias)),
        h, t, s, causal, float(scale), **sizes[0],
    )  # fmt: skip
    return y, (logs, q, k, v)


def _backward(
    device: Device, g: Any, y: Any, residual: tuple, *given: Any, mask: Any, causal: bool,
    scale: float,
) -> list:  # fmt: skip
    logs, q, k, v = residual
    bias = given[3] if len(given) > 3 else None
    sizes = _tile(q.shape[-1], v.shape[-1], q.dtype.itemsize, True)
    xp, g = device.xp, _rows_whole(device, g)
    (b, h, t, _), s = q.shape, k.shape[-2]
    means = xp.empty_like(logs)
    device.launch(
        "attention_backward/attention_means", q.dtype, -(-logs.size // 8), _THREADS,
        means, g, y, layout(g), h, t, logs.size, **sizes,
    )  # fmt: skip
    gq, gk, gv = (_like_heads(device, x, x.shape[-1]) for x in (q, k, v))
    g_bias = None if bias is None else xp.zeros((b, h, t, s), q.dtype)
    rest = (
        g, logs, means, q, k, v, mask, bias, *map(layout, (g, q, k, v, mask, bias)),
        h, t, s, causal, float(scale),
    )  # fmt: skip
    for name, outputs, tiles in (
        ("queries", (gq, g_bias), -(-t // sizes["ROWS"])),
        ("keys", (gk, gv), -(-s // sizes["KEYS"])),
    ):
        kernel = f"attention_backward/attention_{name}"
        device.launch(kernel, q.dtype, b * h * tiles, _THREADS, *outputs, *rest, **sizes)
    return [gq, gk, gv] if bias is None else [gq, gk, gv, g_bias]


attention = tiled_attention = _forward, _backward


def _rows_whole(device: Device, x: Any) -> Any:
    """x (B, H, T, d), copied only where the numbers of a row do not lie side by side."""
    side_by_side = x.shape[-1] == 1 or x.strides[-1] == x.dtype.itemsize
    return x if side_by_side else device.xp.ascontiguousarray(x)


def _like_heads(device: Device, x: Any, width: int) -> Any:
    """An empty (B, H, T, width) that lies in memory as (B, T, H, width): joining heads is free."""
    b, h, t, _ = x.shape
    return device.xp.empty((b, t, h, width), x.dtype).swapaxes(1, 2)
