"""``minitx claim KEY``: run what a paper's row claims, a line for each numbered part."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from minitx import __version__, catalogue
from minitx.catalogue import Paper, results
from minitx.commands.info import describe
from minitx.errors import UserError
from minitx.experiments import Outcome, rotation, run_claim, status

_MACHINE = ("processor", "cores", "system", "Python", "NumPy", "BLAS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Status 0: every part ran and held. 3: every part ran, and exactly those failed whose "
        "failure is recorded in the catalogue. 1: anything else, a missing part included."
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="keys of rows (see `minitx papers`)")
    parser.add_argument("--all", action="store_true", help="every row of the catalogue")
    parser.add_argument("--part", type=int, action="append", metavar="N", help="only this part")
    parser.add_argument("--kind", choices=("exact", "trained"), help="only parts of this kind")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="S", help="other seeds")
    parser.add_argument("--write", action="store_true", help="record the results of trained parts")
    again = parser.add_argument_group("running some of the trained parts again")
    again.add_argument(
        "--changed-since",
        type=Path,
        metavar="FILE",
        help="those that changed since this results file",
    )
    again.add_argument("--sample", type=int, default=0, metavar="N", help="N more, others each day")
    again.add_argument(
        "--within", type=float, metavar="MINUTES", help="as many as fit into this time"
    )


def run(args: argparse.Namespace) -> int:
    """Run what was asked for; returns the exit status."""
    outcomes = []
    for outcome in _outcomes(args):
        print(outcome.line(), flush=True)
        if args.write and outcome.values and not outcome.part.exact:
            results.write(outcome.paper, outcome.part, outcome.result(machine()))
        outcomes.append(outcome)
    if not outcomes and args.changed_since is not None:
        print("nothing has changed", file=sys.stderr)
        return 0
    return status(outcomes)


def machine() -> dict[str, str]:
    """What the measurement depends on; no name of a host."""
    found = describe()
    return {"minitx": __version__} | {name: found[name] for name in _MACHINE}


def _outcomes(args: argparse.Namespace) -> Iterator[Outcome]:
    if args.write and args.seeds:
        raise UserError("--write records the row's own seeds, so it does not go with --seeds")
    if args.part and len(args.keys) != 1:
        raise UserError("--part expected one KEY")
    some = args.changed_since is not None or args.sample
    if bool(args.keys) + args.all + bool(some) != 1:
        raise UserError("say which: KEY ..., --all, or --changed-since FILE and --sample N")
    if some:
        yield from _some(args)
        return
    for paper in catalogue.load() if args.all else _papers(args.keys):
        yield from run_claim(paper, _numbers(paper, args), args.seeds)


def _papers(keys: list[str]) -> list[Paper]:
    try:
        return [catalogue.find(key) for key in keys]
    except KeyError as error:
        raise UserError(error.args[0]) from None


def _numbers(paper: Paper, args: argparse.Namespace) -> list[int] | None:
    """The numbers of the parts that were asked for; None for all."""
    if args.part is None and args.kind is None:
        return None
    known = [part.number for part in paper.parts]
    unknown = set(args.part or ()) - set(known)
    if unknown:
        raise UserError(f"{paper.key} has the parts {known}, not {sorted(unknown)}")
    return [
        part.number
        for part in paper.parts
        if part.number in (args.part or known) and args.kind in (None, part.kind)
    ]


def _some(args: argparse.Namespace) -> Iterator[Outcome]:
    """The trained parts that changed, and the sample of the day, as far as the time goes."""
    now = results.read()
    parts = [it for it in rotation.trained(catalogue.load()) if rotation.result(now, it)]
    chosen = []
    if args.changed_since is not None:
        if not args.changed_since.is_file():
            raise UserError(f"--changed-since expected a results file, got {args.changed_since}")
        chosen += rotation.changed(parts, json.loads(args.changed_since.read_text("utf8")), now)
    turn = date.today().toordinal()
    chosen += [it for it in rotation.sample(parts, args.sample, turn) if it not in chosen]
    left = []
    if args.within is not None:
        chosen, left = rotation.within(chosen, now, args.within * 60)
    start = time.monotonic()
    for paper, part in chosen:
        if args.within is not None and time.monotonic() - start > args.within * 60:
            left.append((paper, part))
        else:
            yield from run_claim(paper, [part.number], args.seeds)
    for paper, part in left:
        print(f"{paper.key} {part.number}  not run again: no time left", file=sys.stderr)
