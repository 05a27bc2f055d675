"""Freeze a course: ``make course PAGES="attention positions" TERM=2026-autumn [SEED=7]``."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from exercises.course import make


def main() -> int:
    parser = argparse.ArgumentParser(prog="course", description=__doc__)
    parser.add_argument("pages", nargs="+", help="such as attention positions")
    parser.add_argument("--term", required=True, help="such as 2026-autumn")
    parser.add_argument("--seed", type=int, help="drawn at random if it is not given")
    parser.add_argument("--out", type=Path, default=make.ROOT / "courses")
    parser.add_argument("--variants", type=Path, help="a folder with questions of your own")
    parser.add_argument("--otter", type=Path, help="a Python that has Otter: make its zip files")
    args = parser.parse_args()
    seed = make.draw_seed() if args.seed is None else args.seed
    folder = args.out / args.term
    try:
        order = make.Order(args.term, args.pages, seed)
        with tempfile.TemporaryDirectory() as built:
            make.make(order, folder, make.build_wheel(Path(built)), args.variants)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        parser.error(str(error))
    ignore = args.out / ".gitignore"
    if not ignore.exists():  # solutions and seeds are not for a public repository
        ignore.write_text("*\n", "utf8")
    points, total = solved(folder / "teacher", args.pages)
    print(f"the solutions earn {points} of {total} points")
    if args.otter:
        make.run(
            folder / "teacher", "otter_zip", str(folder / "teacher"), str(args.otter.absolute())
        )
    print(f"to hand out: {folder / 'student'}")
    print(f"to keep:     {folder / 'teacher'}  (seed and solutions: back it up)")
    return 0 if points == total else 1


def solved(teacher: Path, pages: list[str]) -> tuple[int, int]:
    """The points that the solutions earn in this term, and those that there are."""
    files = [f"{page}={teacher / 'solutions' / page}.py" for page in pages]
    lines = make.run(teacher, "judge", "--course", str(teacher), *files).splitlines()
    reports = [json.loads(line) for line in lines]
    for report in reports:
        if report["points"] < report["total"]:
            print(report["message"], file=sys.stderr)
    return sum(r["points"] for r in reports), sum(r["total"] for r in reports)


if __name__ == "__main__":
    raise SystemExit(main())
