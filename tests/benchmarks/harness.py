"""Time several programs against each other in one run, in turn, so that a noisy machine is fair."""

import gc
import statistics
import time
from collections.abc import Callable

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}


def alternate(
    programs: dict[str, Callable[[], object]], clock: str, seconds: float = 12.0, least: int = 7
) -> dict[str, list[float]]:
    """Seconds per call of each program, round by round: A B A B ...

    Every round times each program for about the same while; the order turns round by round. At
    least ``least`` rounds, and more until ``seconds`` are over.
    """
    now = CLOCKS[clock]
    calls = {}
    for name, program in programs.items():
        program()
        start = time.perf_counter()
        program()
        calls[name] = max(1, round(0.15 / max(time.perf_counter() - start, 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in programs}
    names, begin = list(programs), time.perf_counter()
    while len(taken[names[0]]) < least or time.perf_counter() - begin < seconds:
        for name in names:
            gc.collect()
            start = now()
            for _ in range(calls[name]):
                programs[name]()
            taken[name].append((now() - start) / calls[name])
        names.reverse()
        if time.perf_counter() - begin > 4 * seconds and len(taken[names[0]]) >= 3:
            break
    return taken


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over rounds of ours / theirs."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
