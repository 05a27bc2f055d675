"""What stands for things of the other process: its functions, its errors, what it prints."""

import builtins
import inspect
import os
import traceback
from typing import Any

KEPT = 200  # characters of what a function prints


class ProcessEnded(Exception):
    """The process at the other end is gone."""


class Remote:
    """Stands for an object of the other side; ``__signature__`` is what it said of its own."""

    def __init__(self, peer: Any, key: int, known: list[list[Any]] | None):
        self.peer, self.key = peer, key
        if known is not None:
            self.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(name, getattr(inspect.Parameter, kind), default=default)
                    for name, kind, has_default in known
                    for default in [None if has_default else inspect.Parameter.empty]
                ]
            )


class RemoteFunction(Remote):
    """A function of the other side."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.peer.call(self.key, arguments, named)


class Printed:
    """In place of standard output: keeps the beginning of what is written."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text: str) -> int:
        self.text += str(text)[: max(0, KEPT - len(self.text))]
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def take(self) -> str:
        text, self.text = self.text, ""
        return text


def parameters(function: Any) -> list[list[Any]] | None:
    """Name, kind and whether there is a default, of each parameter; None if it does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is not p.empty] for p in found]


def what_it_says(error: BaseException) -> str:
    """An error's text, and the last line of the student's own source that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.line and not os.path.isabs(f.filename)]
    where = ""
    if own:
        number = "" if own[-1].filename.startswith("<") else f"line {own[-1].lineno}: "
        where = f" ({number}`{own[-1].line}`)"
    return f"{' '.join(str(error).split())[:200]}{where}"


def named_error(name: str, text: str) -> BaseException:
    """An exception of that name: Python's own, if it is one that may pass, and a new one if not."""
    base = getattr(builtins, name, Exception)
    if not (isinstance(base, type) and issubclass(base, Exception | SystemExit)):
        base = Exception
    body = {"__init__": lambda self: None, "__str__": lambda self: text}
    return type(name, (base,), body)()
