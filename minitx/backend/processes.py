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
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
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

    Products there use one core. The copy is ended with this object, and ends when this process is
    no more; Ctrl-C is for this process alone. It begins with one thread, so ``serve`` must not wait
    for another. ``ask`` and ``answer`` raise RuntimeError when ``serve`` failed, with its
    traceback, and when the copy has come to an end.
    """

    def __init__(self, serve: Serve):
        self.line, its_line = Pipe()
        with warnings.catch_warnings():  # Python 3.12 warns of any other thread, also an idle one
            warnings.simplefilter("ignore")
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
        weakref.finalize(self, _end, self.line, child, os.getpid())

    def ask(self, arrays: Iterable[np.ndarray]) -> None:
        """Set the copy to work."""
        with _told_of_the_end():
            _send(self.line, list(arrays))

    def answer(self) -> list[np.ndarray]:
        """What it has found; waits until it has."""
        with _told_of_the_end():
            return _receive(self.line)


@contextmanager
def _told_of_the_end() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise RuntimeError("a copy of this process has ended: killed, or out of memory?") from error


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
    while True:  # until the line ends, or this process is
        arrays = _receive(line)
        try:
            _send(line, serve(arrays))
        except Exception:
            line.send_bytes(json.dumps({"error": traceback.format_exc()}).encode())


def _send(line: Any, arrays: Sequence[np.ndarray]) -> None:
    kinds = [(array.dtype.str, array.shape) for array in arrays]
    line.send_bytes(json.dumps({"arrays": kinds}).encode())
    for array in arrays:
        line.send_bytes(array.tobytes())


def _receive(line: Any) -> list[np.ndarray]:
    """What ``_send`` sent."""
    told = json.loads(line.recv_bytes())
    if "error" in told:
        raise RuntimeError(f"a copy of this process failed:\n{told['error']}")
    return [
        np.frombuffer(bytearray(line.recv_bytes()), kind).reshape(shape)
        for kind, shape in told["arrays"]
    ]


def _end(line: Any, child: int, maker: int) -> None:
    """End the copy, whatever it is doing: what it has is of no use to anybody else."""
    if os.getpid() != maker:
        return
    line.close()
    with suppress(ProcessLookupError, ChildProcessError):  # somebody may have waited for it
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
