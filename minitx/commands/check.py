"""``minitx check``: check what a reader has done, explain what fails, show how far it has come."""

import argparse
import sys
import textwrap
from pathlib import Path

from minitx.checks import CHAPTERS, Exercise, Report, chapter, exercises, find, progress
from minitx.checks.run import check_file
from minitx.errors import UserError

WHERE = (
    "The notebook of a chapter is a download on its page; save it under its own name, such as "
    "attention.ipynb or attention.py, or name yours with --file."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Without arguments: every chapter whose file (start.ipynb, start.py, ...) is here. "
        "Status 0: all that was asked for is right; 1: something is wrong or still to do."
    )
    parser.add_argument(
        "what", nargs="?", metavar="CHAPTER|EXERCISE", help="such as attention or attention/masks"
    )
    parser.add_argument("--file", type=Path, help="the notebook or Python file with your answers")
    parser.add_argument("--no-progress", action="store_true", help="keep no record of what is done")


def run(args: argparse.Namespace) -> int:
    """Check files; returns 0 if everything that was asked for is right."""
    sys.stdout.reconfigure(errors="replace")  # an old terminal may lack √ and the like
    record = progress.Progress(None if args.no_progress else progress.path())
    wanted = _wanted(args.what)
    files = _files(wanted, args.file)
    if not files and args.what:
        names = " or ".join(f"{name}.ipynb, {name}.py" for name in _chapters(wanted))
        raise UserError(f"there is no {names} in this folder. {WHERE}")
    passed = [_check(path, asked, record) for path, asked in files]
    if not files:
        print(textwrap.fill(f"No file of exercises in this folder. {WHERE}", 88))
    print(_summary(record))
    for note in record.notes:
        print(f"minitx: {note}", file=sys.stderr)
    return 0 if all(passed) else 1


def _wanted(what: str | None) -> list[Exercise]:
    try:
        return find(what) if what else exercises()
    except KeyError as error:
        raise UserError(error.args[0]) from None


def _files(wanted: list[Exercise], file: Path | None) -> list[tuple[Path, list[Exercise]]]:
    """Which file answers which exercises."""
    if file is not None:
        chapters = _chapters(wanted)
        own = [it for it in wanted if it.name.startswith(f"{file.stem}/")]
        return [(file, own if len(chapters) > 1 and own else wanted)]
    found = []
    for name in _chapters(wanted):
        there = [path for path in (Path(f"{name}.ipynb"), Path(f"{name}.py")) if path.is_file()]
        if there:
            latest = max(there, key=lambda path: path.stat().st_mtime)
            found.append((latest, [it for it in wanted if it.name.startswith(f"{name}/")]))
    return found


def _chapters(wanted: list[Exercise]) -> list[str]:
    names = {exercise.name.split("/")[0] for exercise in wanted}
    return [name for name in CHAPTERS if name in names]


def _check(path: Path, asked: list[Exercise], record: progress.Progress) -> bool:
    """Check a file and tell; whether all is right."""
    print(path)
    right = []
    for found in check_file(path, asked):
        if isinstance(found, str):
            print(_paragraph(found))
            continue
        state = "right" if found.passed else "to do" if found.to_do else "wrong"
        print(f"  {state}  {found.exercise}" + _points(found), flush=True)
        if state != "to do" or len(asked) == 1:
            print(_paragraph(found.message))
        right += [found.exercise] if found.passed else []
    record.add(right)
    return len(right) == len(asked)


def _points(report: Report) -> str:
    return "" if report.to_do else f"  ({report.points} of {report.total} points)"


def _paragraph(text: str) -> str:
    indent = " " * 9
    return textwrap.fill(
        text, 88, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )


def _summary(record: progress.Progress) -> str:
    """ "4 of 11 done", and so for each chapter that has been begun."""
    known = [exercise.name for exercise in exercises()]
    parts = []
    for name in CHAPTERS:
        names = [exercise.name for exercise in chapter(name)]
        done = sum(each in record.done for each in names)
        parts += [f"{name} {done} of {len(names)}"] if done else []
    total = sum(name in record.done for name in known)
    return f"{total} of {len(known)} done" + (f": {', '.join(parts)}" if parts else "")
