"""Arrays end to end in large blocks, so that they are read faster than one by one.

The processor looks up where memory is page by page. NumPy asks Linux for pages of 2 MiB, in place
of 4 KiB, for arrays of 4 MiB and more; most weights are smaller. Laid end to end they are parts of
an array that is not, and what reads them all, again and again, waits for fewer look-ups.
"""

import math
from typing import Any

_LINE = 64  # bytes: every array begins where a line of the cache does
_BLOCK = 1 << 24  # bytes


class Arena:
    """Room for arrays of NumPy's, in blocks of ``block`` bytes or of one array that is larger."""

    def __init__(self, block: int = _BLOCK):
        self.block, self.left = block, None

    def empty(self, xp: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array with numbers of no meaning; its block lives as long as one array in it."""
        size = math.prod(shape) * xp.dtype(dtype).itemsize
        if self.left is None or len(self.left) < size:
            self.left = xp.empty(max(self.block, size) + _LINE, xp.uint8)
            self.left = self.left[-self.left.ctypes.data % _LINE :]
        found, self.left = self.left[:size], self.left[-(-size // _LINE) * _LINE :]
        return found.view(dtype).reshape(shape)
