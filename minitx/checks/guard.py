"""A reader's function, called with care: whatever it does is told in a sentence.

It may raise, print, change its arguments, ask for too much memory, call itself without end or
leave Python: the check goes on, or ends with a ``Failure`` that names what happened.
"""

import contextlib
import inspect
import io
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import Failure, describe

KEPT = 200  # characters of what a function prints


class ToDo(Exception):
    """The answer is still a stub."""


class Guarded:
    """Calls ``answer``; knows what it ``printed``."""

    def __init__(self, answer: Callable[..., Any], hint: str = ""):
        self.answer, self.hint, self.printed = answer, hint, ""

    def __call__(self, *arguments: Any) -> Any:
        before = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        out = _Kept()
        try:
            with contextlib.redirect_stdout(out), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a wrong result says more than its warning
                result = self.answer(*arguments)
        except NotImplementedError as error:
            raise ToDo from error
        except (Exception, SystemExit) as error:
            raise Failure(f"{_told(error, self.answer)} {self.hint}".rstrip()) from error
        finally:
            self.printed = self.printed or out.getvalue()
        self._untouched(before, arguments)
        if result is None and self.printed:
            raise Failure(
                "Your function prints its result and returns None: write `return` for `print`."
            )
        return result

    def _untouched(self, before: list[Any], after: tuple[Any, ...]) -> None:
        for i, (old, new) in enumerate(zip(before, after)):
            if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=True):
                raise Failure(
                    f"Your function changes its argument number {i + 1} in place, and its caller "
                    "still needs it: compute a new array (`x = x - m`, not `x -= m`)."
                )


class _Kept(io.StringIO):
    """Keeps the beginning of what is written, however much it is."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, KEPT - self.tell())])
        return len(text)


def _told(error: BaseException, answer: Callable[..., Any]) -> str:
    if isinstance(error, RecursionError):
        return "Your function calls itself without end (RecursionError): what stops it?"
    if isinstance(error, MemoryError):
        return (
            "Your function asks for more memory than a small exercise can need (MemoryError): "
            f"look at the shapes that it makes{_line(error, answer)}."
        )
    if isinstance(error, SystemExit):
        return "Your function calls exit(), which would end Python: return the result instead."
    text = " ".join(str(error).split())[:300]
    return f"Your function raised {type(error).__name__}: {text}{_line(error, answer)}."


def _line(error: BaseException, answer: Callable[..., Any]) -> str:
    """The last line of the reader's own source that the error went through."""
    code = getattr(answer, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code and frame.filename == code.co_filename]
    if not own or not own[-1].line:
        return ""
    number = "" if own[-1].filename.startswith("<") else f"line {own[-1].lineno}: "
    return f" ({number}`{own[-1].line}`)"


def refusal(answer: Any, call: str) -> str | None:
    """Why ``answer`` cannot be what ``call``, such as ``f(x, y)``, names; None if it can."""
    name, _, parameters = call.rstrip(")").partition("(")
    if not callable(answer):
        return (
            f"expected your function {call}, got {describe(answer)}: "
            f"give the function itself, {name}, without quotes and without calling it."
        )
    wanted = [p for p in parameters.split(",") if p.strip()]
    try:
        signature = inspect.signature(answer)
        signature.bind(*wanted)
    except TypeError:
        return f"expected a function that is called as {call}; yours takes {signature}."
    except ValueError:  # a built-in function that does not tell
        return None
    return None
