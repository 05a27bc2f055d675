"""One door to NumPy and CuPy: which library an array belongs to, and moving between devices."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy

Array = Any  # numpy.ndarray, cupy.ndarray, or the strict stand-in of the tests

_NAMESPACES: dict[type, Any] = {numpy.ndarray: numpy}
_KERNELS: dict[type, Any] = {}  # of the arrays of a device: what runs kernels on them
_WAITING: list[Callable[[Any], None]] = []


def register_namespace(array_type: type, library: ModuleType | Any) -> None:
    """Let arrays of ``array_type`` be computed with the functions of ``library``."""
    _NAMESPACES[array_type] = library


def register_kernels(array_type: type, device: Any) -> None:
    """Let arrays of ``array_type`` be computed with the kernels of ``device``."""
    _KERNELS[array_type] = device
    for then in _WAITING:
        then(device)


def when_a_device_is_used(then: Callable[[Any], None]) -> None:
    """Call ``then(device)`` when a device with kernels comes into use, and not before."""
    _WAITING.append(then)
    for device in _KERNELS.values():
        then(device)


def kernels_of(array: Array) -> Any:
    """What runs kernels on ``array`` (``minitx.backend.kernels.Device``); None for NumPy's."""
    return _KERNELS.get(type(array))


def may_be_read(array: Array) -> bool:
    """Whether the numbers of ``array`` can be looked at now: not while a step is captured."""
    device = _KERNELS.get(type(array))
    return device is None or not device.capturing


def matmul_precision(precision: str) -> str:
    """How matrix products of float32 are made on the GPU from now on; returns what was before.

    "float32"; "tf32" (10 bits after the point) or "bfloat16" (7 bits), several times faster on the
    tensor cores, with sums in float32. Raises ValueError for another word, and where no GPU is in
    use: on the CPU there is float32 alone.
    """
    if precision not in ("float32", "tf32", "bfloat16"):
        raise ValueError(
            f"matmul_precision expected 'float32', 'tf32' or 'bfloat16', got {precision!r}"
        )
    if precision != "float32" and not _KERNELS:
        raise ValueError(
            "on the CPU matrix products are made in float32: move the model to a GPU first, "
            f'model.to("cuda"), for {precision!r}'
        )
    before = "float32"
    for device in _KERNELS.values():
        before, device.precision = device.precision, precision
    return before


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array of a library that is known here.

    A subclass of NumPy's array (``matrix``, ``memmap``) is not: its operators may mean something
    else, so it is read as data.
    """
    return type(value) in _NAMESPACES


def namespace(array: Array) -> Any:
    """The library (``numpy``, ``cupy``) whose functions work on ``array``."""
    found = _NAMESPACES.get(type(array))
    if found is not None:
        return found
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy
    raise TypeError(f"expected an array of NumPy or CuPy, got {type(array).__name__}")


def device_of(array: Array) -> str:
    """``"cpu"``, or ``"cuda"`` for an array of CuPy's (or of any library but NumPy)."""
    return "cpu" if namespace(array) is numpy else getattr(namespace(array), "device", "cuda")


def move(array: Array, device: str) -> Array:
    """Copy ``array`` to ``device`` ("cpu" or "cuda"); the array itself if it is there already."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}")
    if device == "cpu":
        return to_numpy(array)
    return array if device_of(array) == "cuda" else _cupy().asarray(array)


def to_numpy(array: Array) -> numpy.ndarray:
    """The same numbers as a NumPy array; the one place where a device array is copied back."""
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(array)
    return array.get() if hasattr(array, "get") else numpy.asarray(array)


def _cupy() -> Any:
    try:
        import cupy
    except ImportError:
        raise ImportError(
            'device "cuda" needs CuPy, which is not installed: pip install "minitx[gpu]"'
        ) from None
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise RuntimeError(f'device "cuda" needs an NVIDIA GPU and its driver: {error}') from None
    register_namespace(cupy.ndarray, cupy)
    if cupy.ndarray not in _KERNELS:
        from minitx.backend.kernels import CuPy

        register_kernels(cupy.ndarray, CuPy(cupy))
    return cupy
