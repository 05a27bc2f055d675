"""One door to NumPy and CuPy: which library an array belongs to, and moving between devices."""

from types import ModuleType
from typing import Any

import numpy

Array = Any  # numpy.ndarray, cupy.ndarray, or the strict stand-in of the tests

_NAMESPACES: dict[type, Any] = {numpy.ndarray: numpy}


def register_namespace(array_type: type, library: ModuleType | Any) -> None:
    """Let arrays of ``array_type`` be computed with the functions of ``library``."""
    _NAMESPACES[array_type] = library


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
    return cupy
