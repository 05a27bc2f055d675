"""GELU, SiLU and SwiGLU: a thread for each number. The way back makes the slope anew from x."""

from __future__ import annotations

from typing import Any

from minitx.backend.kernels.device import Device

_THREADS = 256
_KINDS = {"gelu_tanh": 0, "gelu_erf": 1, "silu": 2}


def _each(device: Device, kernel: str, outputs: int, *arrays: Any, kind: Any = None) -> list:
    """``outputs`` arrays like the first of ``arrays``, made by a kernel number by number."""
    arrays = [device.xp.ascontiguousarray(x) for x in arrays]
    made = [device.xp.empty(arrays[0].shape, arrays[0].dtype) for _ in range(outputs)]
    count, last = made[0].size, [] if kind is None else [kind]
    blocks = -(-count // _THREADS)
    device.launch(kernel, made[0].dtype, blocks, _THREADS, *made, *arrays, count, *last)
    return made


def _activation(name: str) -> tuple:
    def forward(device: Device, x: Any) -> Any:
        if not device.covers(x):
            return None
        return _each(device, "activations/activation", 1, x, kind=_KINDS[name])[0], x

    def backward(device: Device, g: Any, y: Any, x: Any, _: Any) -> list:
        return _each(device, "activations/activation_backward", 1, g, x, kind=_KINDS[name])

    return forward, backward


gelu_tanh, gelu_erf, silu = (_activation(name) for name in _KINDS)


def _swiglu(device: Device, gate: Any, value: Any) -> Any:
    if not device.covers(gate, value):
        return None
    return _each(device, "activations/swiglu", 1, gate, value)[0], None


def _swiglu_backward(device: Device, g: Any, y: Any, _: Any, gate: Any, value: Any) -> list:
    return _each(device, "activations/swiglu_backward", 2, g, gate, value)


swiglu = _swiglu, _swiglu_backward
