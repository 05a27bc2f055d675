"""``make bench``: minitx and its referees on the same work, in turn, in one run.

    python -m tests.benchmarks [--only NAME ...] [--seconds 12] [--out bench.json]

Prints a line per measurement and writes them to bench.json: work, threads, clock, ours and each
referee in milliseconds (medians), ratio (median over rounds of ours / referee), target. Exit
status 1 if a ratio misses its target. Each number of threads is measured in a process of its own,
because the libraries read it once, when they start.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "training step S": 1.0,
    "training step M": 1.0,
    "training step L": 1.0,
    "small": 1.0,
}
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def works(threads: int) -> list[tuple[str, str | None, object]]:
    """(name, its target, function that makes the programs) of everything that is measured."""
    from tests.benchmarks import small_ops, training_step

    found = []
    for size in "SML":
        for gelu in ("tanh", "none"):
            name = f"training step {size}" + ("" if gelu == "tanh" else ", erf-GELU")
            target = f"training step {size}" if gelu == "tanh" else None

            def make(size=size, gelu=gelu):
                step, model = training_step.minitx_step(training_step.SIZES[size], gelu, threads)
                return {
                    "minitx": step,
                    "torch": training_step.torch_step(training_step.SIZES[size], model, gelu),
                }

            found.append((name, target, make))
    for name, make in small_ops.programs().items():
        found.append((f"small {name}", "small", make))
    return found


def measure(threads: int, only: list[str], seconds: float) -> list[dict]:
    """All measurements with this process's number of threads."""
    import torch

    from tests.benchmarks.harness import alternate, ratio

    torch.set_num_threads(threads)
    clock, rows = "cpu" if threads == 1 else "wall", []
    for name, target, make in works(threads):
        if only and not any(word in name for word in only):
            continue
        taken = alternate(make(), clock, seconds)
        ours = taken.pop("minitx")
        row = {
            "work": name,
            "threads": threads,
            "clock": clock,
            "minitx_ms": 1e3 * statistics.median(ours),
            **{f"{other}_ms": 1e3 * statistics.median(theirs) for other, theirs in taken.items()},
            "rounds": len(ours),
            "ratio_to": {other: ratio(ours, theirs) for other, theirs in taken.items()},
            "target": TARGETS[target] if target and threads == 1 else None,
        }
        row["ratio"] = max(row["ratio_to"].values())  # to the fastest of them
        rows.append(row)
        print(describe(row), flush=True)
    return rows


def describe(row: dict) -> str:
    """A measurement as a line."""
    referees = "  ".join(
        f"{name[:-3]} {value:9.3f} ms"
        for name, value in row.items()
        if name.endswith("_ms") and name != "minitx_ms"
    )
    verdict = ""
    if row["target"] is not None:
        met = row["ratio"] <= row["target"]
        verdict = f"target {row['target']:.2f}  {'met' if met else 'MISSED'}"
    return (
        f"{row['work']:<28} {row['threads']} thread{'s' * (row['threads'] > 1)} {row['clock']:<4} "
        f"minitx {row['minitx_ms']:9.3f} ms  {referees}  ratio {row['ratio']:.2f}  {verdict}"
    )


def machine() -> dict[str, str]:
    """What it was measured on."""
    import torch

    from minitx.commands.info import cores, processor

    return {
        "processor": processor(),
        "cores": str(cores()),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": __import__("numpy").__version__,
        "torch": torch.__version__,
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
    parser.add_argument("--out", default="bench.json")
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
