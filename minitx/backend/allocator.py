"""Memory that a training step frees is memory that the next one needs: keep it.

glibc gives large freed blocks back to the system and faults them in again, page by page, at the
next allocation. A training step allocates and frees the same blocks over and over, and spends up
to a third of its time on those faults. Two settings (``mallopt``) keep the memory in the process.
They exist in glibc alone; every other platform is left as it is. ``MINITX_KEEP_MEMORY=0`` in the
environment leaves glibc as it is too.
"""

import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
_KEEP = 1 << 30


def keep_freed_memory() -> bool:
    """Ask glibc to keep up to 1 GiB of freed memory; return whether it agreed."""
    if not sys.platform.startswith("linux") or os.environ.get("MINITX_KEEP_MEMORY") == "0":
        return False
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt  # musl and others have no such symbol
        return bool(mallopt(_MMAP_THRESHOLD, _KEEP) and mallopt(_TRIM_THRESHOLD, _KEEP))
    except (ImportError, OSError, AttributeError):
        return False
