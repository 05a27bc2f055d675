"""``make bench``: minitx and its referees on the same work, in turn, in one run.

    python -m tests.benchmarks [--device cuda] [--only WORD ...] [--seconds 12] [--out FILE]

Prints a line per measurement and writes them to book/_data/bench.json, which a page shows: work,
threads, clock, ours and each referee in milliseconds (medians), ratio (median over rounds of ours
to the fastest referee's), target. Exit status 1 if a ratio misses its target. Each program runs in
a process of its own, kept to as many cores as threads: CPU time on one thread, wall time on more.
With ``--device cuda`` what runs on a GPU is measured; the file keeps the rows of the other device.
"""

import argparse
import datetime
import json
import platform
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.benchmarks import cuda, memory
from tests.benchmarks.harness import ROOT, Player, measured
from tests.benchmarks.work import Work
from tests.benchmarks.works import works

PEAK = "peak memory, training step L"


def measure(threads: int, only: list[str], seconds: float) -> Iterator[dict]:
    """All measurements with this number of threads, each program on as many cores."""

    def wanted(name: str) -> bool:
        return not only or any(word in name for word in only)

    for work in works(threads):
        if wanted(work.name):
            yield timed(work, threads, seconds)
    if threads == 1 and wanted(PEAK):
        ours, theirs = memory.peak("minitx"), memory.peak("torch")
        yield {
            "work": PEAK,
            "threads": 1,
            "clock": "MB",
            "minitx_mb": ours / 1e6,
            "referees_mb": {"torch": theirs / 1e6},
            "ratio": ours / theirs,
            "target": 1.0,
        }


def timed(work: Work, threads: int, seconds: float) -> dict:
    """One work: its programs start together, and are timed in turn."""
    row = measured({who: Player(work.name, who, threads) for who in work.who}, seconds)
    return {
        "work": work.name,
        "threads": threads,
        "clock": "cpu" if threads == 1 else "wall",
        **row,
        "ratio": max(row["ratio_to"].values()),  # to the fastest of them
        "target": work.targets.get(threads),
    }


def describe(row: dict) -> str:
    """A measurement as a line."""
    unit = "MB" if row["clock"] == "MB" else "ms"
    numbers = {"minitx": row[f"minitx_{unit.lower()}"], **row[f"referees_{unit.lower()}"]}
    verdict = ""
    if row["target"] is not None:
        met = row["ratio"] <= row["target"]
        verdict = f"target {row['target']:.2f} {'met' if met else 'MISSED'}"
    against = f" to {row['against']}" if "against" in row else ""
    told = "  ".join(f"{who} {value:.3f}" for who, value in numbers.items())
    return (
        f"{row['work']:<40} {row['threads']} thread{'s' * (row['threads'] > 1)}, {row['clock']:<4} "
        f"[{unit}] {told}  ratio {row['ratio']:.2f}{against} {verdict}"
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


def write(out: Path, rows: list[dict], on_gpu: bool) -> None:
    """Put ``rows`` and their machine into the file, beside those of the other device."""
    old = json.loads(out.read_text()) if out.exists() else {"results": []}
    others = [row for row in old["results"] if ("device" in row) != on_gpu]
    machines = {name: old[name] for name in ("machine", "gpu") if name in old}
    machines |= {"gpu": cuda.machine()} if on_gpu else {"machine": machine()}
    results = others + rows if on_gpu else rows + others
    out.write_text(json.dumps({**machines, "results": results}, indent=1) + "\n")


def main() -> int:
    """Measure everything that is asked for; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", default=[], help="words of the works to measure")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--seconds", type=float, default=12.0, help="for each measurement")
    parser.add_argument("--out", default=str(ROOT / "book" / "_data" / "bench.json"))
    args = parser.parse_args()
    on_gpu, rows = args.device == "cuda", []
    if on_gpu and (missing := cuda.why_not()):
        print(missing, file=sys.stderr)
        return 2
    runs = [measure(threads, args.only, args.seconds) for threads in args.threads]
    for row in chain(*([cuda.measure(args.only, args.seconds)] if on_gpu else runs)):
        rows.append(row)
        print(describe(row), flush=True)
    write(Path(args.out), rows, on_gpu)
    missed = [row for row in rows if row["target"] is not None and row["ratio"] > row["target"]]
    print(f"wrote {args.out}: {len(rows)} measurements, {len(missed)} targets missed")
    return 1 if missed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
