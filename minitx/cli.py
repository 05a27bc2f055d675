"""The command line: ``minitx train``, ``generate``, ``search``, ``papers``, ``claim``, ...

Each command is a module of ``minitx.commands`` with ``add_arguments`` and ``run``; it is imported
when it is asked for. A mistake of the person at the terminal is answered with one sentence and
exit status 2, never with a stack trace.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from minitx import __version__
from minitx.errors import UserError

COMMANDS = {
    "train": "train a small transformer on text",
    "generate": "write text with a trained model",
    "search": "find passages by their meaning",
    "papers": "list the papers of the book",
    "claim": "reproduce what a paper claims",
    "check": "check your exercises",
    "bench": "what every token mixer costs, against the length",
    "info": "versions, cores, device",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minitx", description="Transformers you can run: the package of the book."
    )
    parser.add_argument("--version", action="version", version=f"minitx {__version__}")
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status (2 for a mistake in what was asked)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 2 if rest else 0
    return _guarded(lambda: _run(chosen.command, rest), chosen.traceback)


def _run(name: str, arguments: list[str]) -> int:
    module = importlib.import_module(f"minitx.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"minitx {name}", description=COMMANDS[name])
    module.add_arguments(parser)
    status = int(module.run(parser.parse_args(arguments)) or 0)
    sys.stdout.flush()  # here, where a reader who has left is noticed
    return status


def _guarded(command: Callable[[], int], traceback: bool) -> int:
    try:
        return command()
    except BrokenPipeError:  # the reader of our output (head, less) has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except (UserError, ImportError, OSError, ValueError, TypeError, IndexError, KeyError) as error:
        if traceback:
            raise
        text = str(error) if not isinstance(error, KeyError) else str(error.args[0])
        print(f"minitx: {text or type(error).__name__}", file=sys.stderr)
        return 2
    except (MemoryError, ArithmeticError, RuntimeError) as error:
        if traceback:
            raise
        text = str(error) or type(error).__name__
        print(f"minitx: {text} (--traceback shows where)", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
