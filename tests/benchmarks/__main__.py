"""``make bench``: minitx and its referees on the same work, in turn, in one run.

    python -m tests.benchmarks [--only WORD ...] [--seconds 12] [--out FILE]

Prints a line per measurement and writes them to book/_data/bench.json, which a page shows: work,
threads, clock, ours and each referee in milliseconds (medians), ratio (median over rounds of ours
to the fastest referee's), target. Exit status 1 if a ratio misses its target. Each number of
threads is measured in a process of its own, kept to as many cores: CPU time on one thread, wall
time on more.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.work import Work

ROOT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def works(threads: int) -> Iterator[Work]:
    """Everything that is timed with this number of threads."""
    from tests.benchmarks import decoding, forward, linear_attention, small_ops, training_step

    for module in (training_step, forward, decoding, linear_attention, small_ops):
        yield from module.works(threads)


def measure(threads: int, only: list[str], seconds: float) -> list[dict]:
    """All measurements with this process's number of threads."""
    import torch

    from tests.benchmarks import memory, training_step
    from tests.benchmarks.harness import alternate, ratio

    keep_to_cores(threads)
    torch.set_num_threads(threads)
    clock, rows = "cpu" if threads == 1 else "wall", []

    def wanted(name: str) -> bool:
        return not only or any(word in name for word in only)

    def note(row: dict) -> None:
        rows.append(row)
        print(describe(row), flush=True)

    for work in works(threads):
        if not wanted(work.name):
            continue
        taken = alternate(work.make(), clock, seconds)
        ours = taken.pop("minitx")
        ratios = {other: ratio(ours, theirs) for other, theirs in taken.items()}
        note({
            "work": work.name,
            "threads": threads,
            "clock": clock,
            "minitx_ms": 1e3 * statistics.median(ours),
            "referees_ms": {who: 1e3 * statistics.median(them) for who, them in taken.items()},
            "rounds": len(ours),
            "ratio_to": ratios,
            "ratio": max(ratios.values()),  # to the fastest of them
            "target": work.targets.get(threads),
        })  # fmt: skip
    if threads == 1 and wanted("share of the matrix rate, training step L"):
        note(training_step.share_of_the_matrix_rate("L", seconds))
    if threads == 1 and wanted("peak memory, training step L"):
        ours, theirs = memory.peak("minitx"), memory.peak("torch")
        note({
            "work": "peak memory, training step L",
            "threads": 1,
            "clock": "MB",
            "minitx_mb": ours / 1e6,
            "referees_mb": {"torch": theirs / 1e6},
            "ratio": ours / theirs,
            "target": 1.0,
        })  # fmt: skip
    return rows


def keep_to_cores(count: int) -> None:
    """Let this process have ``count`` cores, where that can be said (Linux): JAX asks for all."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def describe(row: dict) -> str:
    """A measurement as a line."""
    unit = "MB" if row["clock"] == "MB" else "ms"
    numbers = {"minitx": row[f"minitx_{unit.lower()}"], **row[f"referees_{unit.lower()}"]}
    verdict = ""
    if row["target"] is not None:
        met = row["ratio"] <= row["target"]
        verdict = f"target {row['target']:.2f} {'met' if met else 'MISSED'}"
    told = "  ".join(f"{who} {value:.3f}" for who, value in numbers.items())
    return (
        f"{row['work']:<40} {row['threads']} thread{'s' * (row['threads'] > 1)}, {row['clock']:<4} "
        f"[{unit}] {told}  ratio {row['ratio']:.2f} {verdict}"
    )


def machine() -> dict[str, str]:
    """What it was measured on."""
    import jax
    import numpy as np
    import torch

    from minitx.commands.info import cores, processor

    return {
        "processor": processor(),
        "cores": str(cores()),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "jax": jax.__version__,
        "date": datetime.date.today().isoformat(),
    }


def run_threads(threads: int, args: argparse.Namespace) -> list[dict]:
    """Measure in a process whose libraries use ``threads`` threads."""
    environment = {**os.environ, **{name: str(threads) for name in THREAD_VARIABLES}}
    command = [sys.executable, "-m", "tests.benchmarks", "--worker", str(threads)]
    command += [
        "--seconds",
        str(args.seconds),
        "--out",
        args.out,
        *(["--only", *args.only] if args.only else []),
    ]
    if subprocess.run(command, env=environment, cwd=ROOT).returncode:
        raise SystemExit(f"the measurements with {threads} threads failed")
    part = Path(f"{args.out}.{threads}")
    rows = json.loads(part.read_text())
    part.unlink()
    return rows


def main() -> int:
    """Measure everything that is asked for; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", default=[], help="words of the works to measure")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=12.0, help="for each measurement")
    parser.add_argument("--out", default=str(ROOT / "book" / "_data" / "bench.json"))
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        rows = measure(args.worker, args.only, args.seconds)
        Path(f"{args.out}.{args.worker}").write_text(json.dumps(rows))
        return 0
    rows = [row for threads in args.threads for row in run_threads(threads, args)]
    report = {"machine": machine(), "results": rows}
    Path(args.out).write_text(json.dumps(report, indent=1) + "\n")
    missed = [row for row in rows if row["target"] is not None and row["ratio"] > row["target"]]
    print(f"wrote {args.out}: {len(rows)} measurements, {len(missed)} targets missed")
    return 1 if missed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
