"""How long programs take: they run in turn, so that what slows the machine slows them all."""

import time
from collections.abc import Callable


def seconds(*programs: Callable[[], object], runs: int = 7) -> list[list[float]]:
    """The seconds of this thread that each program takes, a number a run."""
    taken: list[list[float]] = [[] for _ in programs]
    for _ in range(runs):
        for program, found in zip(programs, taken, strict=True):
            start = time.thread_time()
            program()
            found.append(time.thread_time() - start)
    return taken
