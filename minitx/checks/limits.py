"""Limits on time and memory for somebody else's function, wherever Python runs.

On the main thread of Unix a timer's signal ends the work, even inside a sleep. Elsewhere (Windows,
a thread of a notebook) a watchdog thread raises the exception in the worker. Code that swallows
the exception meets it again soon, and then on every line. In a browser there is neither way: the
page's Stop button is the limit.
"""

import contextlib
import ctypes
import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

AGAIN = 0.2  # seconds between two attempts to end the work


class TimeUp(BaseException):
    """Raised inside work that has taken too long; no Exception, so that few handlers catch it."""


class StillRunning(TimeUp):
    """Raised when the work has swallowed TimeUp, as a bare ``except:`` does: it sets a trap.

    The next line that runs in the frames of the work, such as the handler's, raises it again.
    """

    def __init__(self) -> None:
        frame = sys._getframe(1)
        while frame and (ours := frame.f_globals.get("__name__", "")) != "minitx.checks.guard":
            if not ours.startswith("minitx.checks."):
                frame.f_trace = _again
            frame = frame.f_back
        sys.settrace(_no_trace)


def _again(frame: Any, event: str, argument: Any) -> Any:
    """Traces a frame of the work: its next line is its last."""
    if event == "line":
        raise StillRunning
    return _again


def _no_trace(frame: Any, event: str, argument: Any) -> None:
    """Traces nothing in functions that are called from now on."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the body when it has not ended after ``seconds``."""
    if sys.platform == "emscripten":
        yield
        return
    on_main = threading.current_thread() is threading.main_thread()
    traced = sys.gettrace()
    try:
        with _alarm(seconds) if on_main and hasattr(signal, "setitimer") else _watchdog(seconds):
            yield
    finally:
        sys.settrace(traced)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    kinds = itertools.chain([TimeUp], itertools.repeat(StillRunning))

    def end(signum, frame):
        raise next(kinds)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    worker = ctypes.c_ulong(threading.get_ident())
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    ended, turn = threading.Event(), threading.Lock()

    def watch() -> None:
        wait, kind = seconds, TimeUp
        while not ended.wait(wait):
            with turn:
                if not ended.is_set():
                    raise_in(worker, ctypes.py_object(kind))
            wait, kind = AGAIN, StillRunning

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with turn:
            ended.set()
            raise_in(worker, None)  # an exception on its way must not arrive later


@contextlib.contextmanager
def memory_limit(gigabytes: float) -> Iterator[None]:
    """On Linux, let the body take at most so much more memory; a larger wish is a MemoryError."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    with open("/proc/self/statm") as sizes:
        used = int(sizes.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + int(gigabytes * 2**30)
    bounds = [limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
