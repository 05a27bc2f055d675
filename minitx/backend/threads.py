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


@cache
def _calls() -> tuple[Any, Any] | None:
    """(get, put) of the number of threads of the OpenBLAS that NumPy uses, or None."""
    try:
        import ctypes

        from numpy._core import _multiarray_umath

        library = ctypes.CDLL(_multiarray_umath.__file__)
    except (ImportError, OSError, AttributeError):
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            try:
                return (
                    getattr(library, f"{prefix}get_num_threads{suffix}"),
                    getattr(library, f"{prefix}set_num_threads{suffix}"),
                )
            except AttributeError:
                continue
    return None
