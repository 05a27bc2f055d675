"""``minitx bench mixers``: what every token mixer costs, against the length of the sequence."""

import argparse
from datetime import date

from minitx.commands.claim import machine
from minitx.errors import UserError
from minitx.experiments import mixers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Seconds are processor time: for one thread set OPENBLAS_NUM_THREADS=1. A full run takes "
        "some minutes and up to 8 GB."
    )
    parser.add_argument("what", choices=("mixers",), help="what is measured")
    parser.add_argument("--only", metavar="TEXT", help="mixers with this text in their name")
    parser.add_argument(
        "--lengths", type=int, nargs="+", metavar="N", default=mixers.LENGTHS,
        help="lengths instead of 256 ... 16384",
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="record a full run")


def run(args: argparse.Namespace) -> int:
    """Print a line for each mixer; with ``--write`` record them all."""
    lengths = tuple(sorted(set(args.lengths)))
    if len(lengths) < 2 or lengths[0] < 1:
        raise UserError(f"--lengths expected two or more different lengths, got {args.lengths}")
    partial = args.only is not None or lengths != mixers.LENGTHS
    if args.write and partial:
        raise UserError("--write records a full run, so it goes with no other option")
    chosen = [it for it in mixers.registered() if args.only is None or args.only in it.name]
    if not chosen:
        raise UserError(f"no token mixer has {args.only!r} in its name")
    rows = []
    for variant in chosen:
        rows.append(mixers.measure(variant, lengths))
        print(line(rows[-1]), flush=True)
    if args.write:
        mixers.write(rows, machine() | {"date": date.today().isoformat()})
    return 0


def line(row: mixers.Cost) -> str:
    """Name, exponents, and the last length with its seconds and memory."""
    return (
        f"{row.name:<36} length^{row.fitted:.2f} (declared {row.declared:g})  "
        f"{row.lengths[-1]:>6} tokens: {row.seconds[-1]:.3f} s, {row.bytes[-1] / 1e6:.0f} MB"
    )
