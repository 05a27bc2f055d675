"""Time several programs against each other in one run, in turn, so that a noisy machine is fair.

Each program is a ``Player``, a process of its own, and has it as its users have it: no other
library's threads wait beside it for their next turn, none has set the allocator in its way.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
TURN, PAUSE = 0.3, 0.1  # seconds: of a turn at least, and before it, while the last one's end


class Timed(Protocol):
    def play(self, calls: int) -> float:
        """Seconds per call."""


class Player:
    """The program ``who`` of the work ``name`` in a process of its own, on ``threads`` cores."""

    def __init__(self, name: str, who: str, threads: int):
        command = [sys.executable, "-m", "tests.benchmarks.harness", name, who, str(threads)]
        extra = {variable: str(threads) for variable in THREAD_VARIABLES}
        if who != "minitx":
            extra["MINITX_KEEP_MEMORY"] = "0"  # the referee's allocator as it comes
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **extra}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.told("ready")

    def play(self, calls: int) -> float:
        print(calls, file=self.process.stdin, flush=True)
        return float(self.told())

    def told(self, expected: str = "") -> str:
        """The next line from the process."""
        line = self.process.stdout.readline().strip()
        if not line or (expected and line != expected):
            raise RuntimeError(f"{self.process.args} said {line!r} and ended")
        return line

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def alternate(
    players: Mapping[str, Timed], seconds: float = 12.0, least: int = 7
) -> dict[str, list[float]]:
    """Seconds per call of each player, round by round: A B A B ...

    Every round times each for about the same while; the order turns round by round. At least
    ``least`` rounds, and more until ``seconds`` are over.
    """
    calls = {}
    for name, player in players.items():
        player.play(2)  # the first call compiles
        calls[name] = max(1, round(TURN / max(player.play(1), 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in players}
    names, begin = list(players), time.perf_counter()
    while len(taken[names[0]]) < least or time.perf_counter() - begin < seconds:
        for name in names:
            time.sleep(PAUSE)
            taken[name].append(players[name].play(calls[name]))
        names.reverse()
        if time.perf_counter() - begin > 4 * seconds and len(taken[names[0]]) >= 3:
            break
    return taken


def measured(players: Mapping[str, "Player"], seconds: float) -> dict:
    """The part of a row that is timed: medians in ms, rounds, the ratios to each referee."""
    try:
        taken = alternate(players, seconds)
    finally:
        for player in players.values():
            player.close()
    ours = taken.pop("minitx")
    return {
        "minitx_ms": 1e3 * statistics.median(ours),
        "referees_ms": {who: 1e3 * statistics.median(them) for who, them in taken.items()},
        "rounds": len(ours),
        "ratio_to": {other: ratio(ours, theirs) for other, theirs in taken.items()},
    }


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over rounds of ours / theirs."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def keep_to_cores(count: int) -> None:
    """Let this process have ``count`` cores, where that can be said (Linux): JAX asks for all."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def serve(name: str, who: str, threads: int) -> None:
    """Play: for each number that is read, so many calls; the seconds of one are written.

    CPU time on one thread, wall time on more.
    """
    from tests.benchmarks.works import works

    keep_to_cores(threads)
    (program,) = (work.make()[who] for work in works(threads) if work.name == name)
    now, out, sys.stdout = CLOCKS["cpu" if threads == 1 else "wall"], sys.stdout, sys.stderr
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        calls = int(line)
        gc.collect()
        start = now()
        for _ in range(calls):
            program()
        print((now() - start) / calls, file=out, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
