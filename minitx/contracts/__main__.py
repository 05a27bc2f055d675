"""``python -m minitx.contracts``: run every check; with ``--write`` record the table for the book.

Status 1 when a check fails.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from minitx import backend
from minitx.contracts import CONTRACTS, Result, common, run_all

TABLE = Path("book/_data/battery.json")


def use_stand_in(name: str) -> None:
    """Take the strict arrays for the check of devices from the module of this name."""
    common.stand_in = importlib.import_module(name)
    backend.register_namespace(common.stand_in.Array, common.stand_in.library)


def write(results: list[Result], path: Path) -> None:
    """Write the table, an entry a line."""
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(result.entry(), ensure_ascii=False) for result in results)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf8", newline="\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m minitx.contracts", description=__doc__)
    parser.add_argument("--contract", choices=sorted(CONTRACTS))
    parser.add_argument(
        "--write", action="store_true", help=f"write {TABLE}, from the project's root"
    )
    parser.add_argument("--stand-in", metavar="MODULE", help="arrays that refuse to become NumPy's")
    args = parser.parse_args()
    if args.stand_in:
        use_stand_in(args.stand_in)
    results = run_all(args.contract)
    for result in results:
        if result.result == "fail":
            print(f"{result.contract}: {result.variant}: {result.check}: {result.message}")
    counts = {kind: sum(it.result == kind for it in results) for kind in ("pass", "fail", "none")}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if args.write:
        if args.contract or not TABLE.parent.parent.is_dir():
            parser.error(f"--write expected all contracts, and the folder {TABLE.parent.parent}")
        write(results, TABLE)
    return 1 if counts["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
