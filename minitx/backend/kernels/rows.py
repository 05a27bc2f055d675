"""Softmax, normalisation and cross-entropy: a block of threads for each row."""

from __future__ import annotations

import math
from typing import Any

from minitx.backend.kernels.device import Device, row_threads

_PART = 256  # rows that one block sums up, at least
_PARTS = 64  # blocks side by side, at most


def _by_rows(device: Device, kernel: str, *arrays: Any) -> Any:
    """An array like the first of ``arrays`` (..., D), made by a kernel that goes row by row."""
    arrays = [device.xp.ascontiguousarray(x) for x in arrays]
    y = device.xp.empty(arrays[0].shape, arrays[0].dtype)
    width = y.shape[-1]
    device.launch(kernel, y.dtype, y.size // width, row_threads(width), y, *arrays, width)
    return y


def _softmax_like(kernel: str) -> tuple:
    def forward(device: Device, x: Any, axis: int) -> Any:
        if not device.covers(x):
            return None
        moved = device.xp.moveaxis(x, axis, -1)
        return device.xp.moveaxis(_by_rows(device, kernel, moved), -1, axis), None

    def backward(device: Device, g: Any, y: Any, _: Any, x: Any, axis: int) -> list:
        g, y = (device.xp.moveaxis(z, axis, -1) for z in (g, y))
        return [device.xp.moveaxis(_by_rows(device, f"{kernel}_backward", g, y), -1, axis)]

    return forward, backward


softmax = _softmax_like("softmax/softmax")
log_softmax = _softmax_like("softmax/log_softmax")


def _normalise(device: Device, x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    given = [x, weight] if bias is None else [x, weight, bias]
    if not device.covers(*given):
        return None
    xp, width = device.xp, x.shape[-1]
    x, weight = xp.ascontiguousarray(x), xp.ascontiguousarray(weight)
    bias = None if bias is None else xp.ascontiguousarray(bias)
    y, means, scales = xp.empty(x.shape, x.dtype), *xp.empty((2, x.size // width), x.dtype)
    device.launch(
        "normalisation/normalise", x.dtype, len(means), row_threads(width),
        y, means, scales, x, weight, bias, width, centred, float(eps),
    )  # fmt: skip
    return y, (x, means, scales, weight, centred)


def _normalise_backward(device: Device, g: Any, residual: tuple, with_bias: bool) -> list:
    x, means, scales, weight, centred = residual
    g, gx, width = device.xp.ascontiguousarray(g), device.xp.empty(x.shape, x.dtype), x.shape[-1]
    device.launch(
        "normalisation/normalise_backward", x.dtype, len(means), row_threads(width),
        gx, g, x, means, scales, weight, width, centred,
    )  # fmt: skip
    sums = sums_over_rows(device, g, (x, means, scales), with_bias)
    return [gx, *sums]


def sums_over_rows(device: Device, g: Any, normalised: Any, with_plain: bool) -> list:
    """[sum over rows of g hat, sum over rows of g]: those that are asked for, (D,) each."""
    xp, width = device.xp, g.shape[-1]
    rows = g.size // width
    parts = min(_PARTS, math.ceil(rows / _PART))
    partial = [
        xp.empty((parts, width), g.dtype) if wanted else None
        for wanted in (normalised is not None, with_plain)
    ]
    device.launch(
        "normalisation/sums_over_rows", g.dtype, (math.ceil(width / 32), parts), 256,
        *partial, g, *(normalised or (None, None, None)), rows, width,
    )  # fmt: skip
    return [x.sum(axis=0) if parts > 1 else x[0] for x in partial if x is not None]


def _layer_norm(device: Device, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    return _normalise(device, x, weight, bias, eps, True)


def _layer_norm_backward(device: Device, g: Any, y: Any, residual: tuple, *_: Any, eps: float):
    return _normalise_backward(device, g, residual, True)


def _rms_norm(device: Device, x: Any, weight: Any, eps: float) -> Any:
    return _normalise(device, x, weight, None, eps, False)


def _rms_norm_backward(device: Device, g: Any, y: Any, residual: tuple, *_: Any, eps: float):
    return _normalise_backward(device, g, residual, False)


layer_norm = _layer_norm, _layer_norm_backward
rms_norm = _rms_norm, _rms_norm_backward


def _cross_entropy(device: Device, logits: Any, targets: Any, smoothing: float) -> Any:
    if not device.covers(logits) or type(targets) is not type(logits):
        return None
    xp, width = device.xp, logits.shape[-1]
    logits = xp.ascontiguousarray(logits)
    targets = xp.ascontiguousarray(targets.astype(xp.int64, copy=False))
    loss, total = xp.empty((2, targets.size), logits.dtype)
    device.launch(
        "cross_entropy/cross_entropy", logits.dtype, len(loss), row_threads(width),
        loss, total, logits, targets, width, float(smoothing),
    )  # fmt: skip
    return loss.reshape(targets.shape), (total, logits, targets)


def _cross_entropy_backward(
    device: Device, g: Any, y: Any, residual: tuple, logits: Any, targets: Any, smoothing: float
) -> list:
    total, logits, targets = residual
    gx, width = device.xp.empty(logits.shape, logits.dtype), logits.shape[-1]
    device.launch(
        "cross_entropy/cross_entropy_backward", gx.dtype, len(total), row_threads(width),
        gx, device.xp.ascontiguousarray(g), total, logits, targets, width, float(smoothing),
    )  # fmt: skip
    return [gx]


cross_entropy = _cross_entropy, _cross_entropy_backward
