"""How many cores a matrix product uses: a question to the BLAS library that NumPy came with.

Small products are slower on two cores than on one, because the threads of OpenBLAS wait for each
other by spinning. A training step does better with one part of the batch on each core, and every
product on one. The library is asked through ``ctypes``; where it cannot be found (another BLAS, a
browser), nothing is changed and the caller is told so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_PREFIXES = ("scipy_openblas_", "openblas_")
_SUFFIXES = ("64_", "", "_64")
_SMALL_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")  # those of AVX-512


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_start_threads() -> bool:
    """Whether threads exist here; in a browser they do not."""
    return sys.platform != "emscripten"


@contextmanager
def blas_threads(count: int) -> Iterator[bool]:
    """Within the block, matrix products use ``count`` threads; yields whether that was possible."""
    calls = _calls()
    if calls is None:
        yield False
        return
    get, put = calls
    before = get()
    put(count)
    try:
        yield True
    finally:
        put(before)


def small_products_are_fast() -> bool:
    """Whether BLAS, on one thread here, does a small product faster than a part of a large one.

    So it is with OpenBLAS on processors with AVX-512. Decided by the processor's name, not by a
    clock: on one thread the same machine cuts its products in the same way every time.
    """
    calls = _calls()
    return calls is not None and _core() in _SMALL_KERNELS and calls[0]() == 1


@cache
def _core() -> str:
    """The processor for which OpenBLAS chose its kernels, "" if it does not say."""
    call = _function("get_corename")
    if call is None:
        return ""
    import ctypes

    call.restype = ctypes.c_char_p
    return call().decode()


@cache
def _calls() -> tuple[Any, Any] | None:
    """(get, put) of the number of threads of the OpenBLAS that NumPy uses, or None."""
    calls = _function("get_num_threads"), _function("set_num_threads")
    return None if None in calls else calls


def _function(name: str) -> Any:
    """A function of the OpenBLAS that NumPy uses, under any of the names it goes by, or None."""
    try:
        import ctypes

        from numpy._core import _multiarray_umath

        library = ctypes.CDLL(_multiarray_umath.__file__)
    except (ImportError, OSError, AttributeError):
        return None
    names = (f"{prefix}{name}{suffix}" for prefix in _PREFIXES for suffix in _SUFFIXES)
    return next((getattr(library, full) for full in names if hasattr(library, full)), None)
