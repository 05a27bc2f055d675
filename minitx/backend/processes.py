"""Copies of this process: an interpreter more, where threads would wait for the only one.

Threads share one interpreter, and only one of them can start the next operation. Where operations
take microseconds (a small model, a step of decoding) that is most of what they do. A copy
(``os.fork``) begins with everything that this process has in memory, at the price of a
millisecond or two, and is told the rest as arrays.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import traceback
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any

import numpy as np

from minitx.backend.threads import blas_threads

Serve = Callable[[list[np.ndarray]], Sequence[np.ndarray]]
_lines: weakref.WeakSet = weakref.WeakSet()  # this process's ends of the lines to all its copies


def can_fork() -> bool:
    """Whether a copy of this process can compute: NumPy's libraries elsewhere may not survive."""
    return sys.platform == "linux" and hasattr(os, "fork")


class Copy:
    """A copy of this process as it is now: each ``ask(arrays)`` has the ``answer()`` of ``serve``.

    Products there use one core. The copy ends with this object or, at the latest, with this
    process; Ctrl-C is for this process alone. ``answer`` raises RuntimeError with the traceback
    when ``serve`` failed.
    """

    def __init__(self, serve: Serve):
        self.line, its_line = Pipe()
        child = os.fork()
        if not child:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                for line in [*_lines, self.line]:  # so that it hears when this process is no more
                    line.close()
                with blas_threads(1), suppress(EOFError, OSError):
                    _go_on(serve, its_line)
            finally:
                os._exit(0)
        its_line.close()
        _lines.add(self.line)
        weakref.finalize(self, _end, self.line, child)

    def ask(self, arrays: Iterable[np.ndarray]) -> None:
        """Set the copy to work."""
        _send(self.line, list(arrays))

    def answer(self) -> list[np.ndarray]:
        """What it has found; waits until it has."""
        return _receive(self.line)


def shared(like: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Arrays of these shapes and kinds that this process and its later copies have in common."""
    like = list(like)
    starts = np.cumsum([0, *(-(-array.nbytes // 64) * 64 for array in like)])
    memory = mmap.mmap(-1, max(int(starts[-1]), 1))
    return [
        np.ndarray(array.shape, array.dtype, memory, int(start))
        for array, start in zip(like, starts)
    ]


def _go_on(serve: Serve, line: Any) -> None:
    while (arrays := _receive(line)) is not None:
        try:
            _send(line, serve(arrays))
        except Exception:
            line.send_bytes(json.dumps({"error": traceback.format_exc()}).encode())


def _send(line: Any, arrays: Sequence[np.ndarray]) -> None:
    kinds = [(array.dtype.str, array.shape) for array in arrays]
    line.send_bytes(json.dumps({"arrays": kinds}).encode())
    for array in arrays:
        line.send_bytes(array.tobytes())


def _receive(line: Any) -> list[np.ndarray] | None:
    """What ``_send`` sent; None for the end."""
    told = json.loads(line.recv_bytes())
    if "error" in told:
        raise RuntimeError(f"a copy of this process failed:\n{told['error']}")
    if "arrays" not in told:
        return None
    return [np.frombuffer(line.recv_bytes(), kind).reshape(shape) for kind, shape in told["arrays"]]


def _end(line: Any, child: int) -> None:
    """Say that this is the end, and wait for it."""
    with suppress(OSError):  # it may have ended already
        line.send_bytes(b"{}")
        line.close()
    with suppress(ChildProcessError):  # somebody else may have waited for it
        os.waitpid(child, 0)
