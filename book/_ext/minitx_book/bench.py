"""`{bench}`: the last results of `make bench`, from `book/_data/bench.json`."""

import json
from pathlib import Path

from .papers import MarkdownTable

FILE = Path(__file__).parents[2] / "_data" / "bench.json"
FACTS = ("processor", "cores", "system", "python", "numpy", "torch", "jax", "date")


class Bench(MarkdownTable):
    def lines(self, root):
        self.env.note_dependency(str(FILE))
        if not FILE.exists():
            return ["Nothing has been measured yet."]
        return table(json.loads(FILE.read_text("utf8")))


def table(report: dict) -> list[str]:
    """The machine in a sentence, and a row a measurement.

    The ratio is to the fastest referee, or to the one that a row of the GPU's names.
    """
    machine = report["machine"]
    lines = [
        "Measured on " + ", ".join(f"{name} {machine[name]}" for name in FACTS if name in machine),
        *([f"; on the GPU: {', '.join(report['gpu'].values())}"] if "gpu" in report else []),
        "",
        "| work | threads, clock | minitx | referees | ratio | wanted |",
        "|---|---|--:|---|--:|--:|",
    ]
    return lines + [_row(row) for row in report["results"]]


def _row(row: dict) -> str:
    unit = "MB" if row["clock"] == "MB" else "ms"
    others = row[f"referees_{unit.lower()}"]
    referees = "; ".join(f"{who} {value:.4g}" for who, value in others.items())
    wanted = ""
    if row["target"] is not None:
        met = row["ratio"] <= row["target"]
        wanted = f"{row['target']:.2f} " + ("met" if met else "**missed**")
    against = f" to {row['against']}" if "against" in row else ""
    return (
        f"| {row['work']} | {row['threads']}, {row['clock']} | {row[f'minitx_{unit.lower()}']:.4g}"
        f"\N{NO-BREAK SPACE}{unit} | {referees} {unit} | {row['ratio']:.2f}{against} | {wanted} |"
    )


def setup(app) -> None:
    app.add_directive("bench", Bench)
