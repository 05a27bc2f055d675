"""Adam and AdamW: one pass over the parameters, which lie end to end in one buffer."""

from __future__ import annotations

from typing import Any

from minitx.backend.kernels.device import Device

_THREADS = 256


def adam(
    device: Device, p: Any, g: Any, mean: Any, square: Any, options: dict, count: int, decay: float
) -> bool:
    """Update p, mean and square in place; False where the kernel does not cover them."""
    if not device.covers(p, g, mean, square):
        return False
    beta1, beta2 = options["betas"]
    device.launch(
        "adam/adam", p.dtype, -(-p.size // _THREADS), _THREADS,
        p, device.xp.ascontiguousarray(g), mean, square, device.numbers(), p.size, count,
        *(float(x) for x in (options["lr"], beta1, beta2, options["eps"], decay)),
    )  # fmt: skip
    return True
