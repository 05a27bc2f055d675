"""Calls between two processes that do not trust each other, as lines of JSON.

Numbers, text, arrays and containers of them travel as values. Functions and other objects stay
where they are: the other side gets a ``Remote`` that stands for them, and can call it, or hand it
back. Nothing that arrives is ever executed, and no line is longer than ``LIMIT``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from .arrays import NUMBERS, pack_array, pack_view, unpack_array, unpack_view
from .lent import changed, lent_in, replace
from .stand_ins import (
    KEPT,
    Printed,
    ProcessEnded,
    Remote,
    RemoteFunction,
    named_error,
    parameters,
    what_it_says,
)

LIMIT = 2**26  # bytes in a line: 64 MiB, far more than an exercise has to say
GONE = "Python itself came to an end in it"


class Peer:
    """One end of the line. Once ``lost`` holds an exception, every call raises that."""

    def __init__(self, source: BinaryIO, sink: BinaryIO):
        self.source, self.sink = source, sink
        self.kept: list[Any] = []  # the objects of this side that the other one knows of
        self.theirs: dict[int, Any] = {}  # containers that came from the other side
        self.lost: BaseException | None = None

    def say(self, message: dict[str, Any]) -> None:
        try:
            self.sink.write(json.dumps(message).encode() + b"\n")
            self.sink.flush()
        except BrokenPipeError:
            raise ProcessEnded(GONE) from None

    def hear(self) -> dict[str, Any]:
        line = self.source.readline(LIMIT + 1)
        if not line.endswith(b"\n"):
            raise ProcessEnded(GONE)
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("a line that is no message")
        return message

    def call(self, key: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call an object of the other side; what it raises is raised here, by the same name."""
        if self.lost:
            raise self.lost
        sent = {"call": key, "arguments": self.pack(list(arguments)), "named": self.pack(named)}
        try:
            self.say(sent)
            while "call" in (answer := self.hear()):
                self.serve(answer)
            return self._result(answer, lent_in([list(arguments), named]))
        except _Told as told:
            raise told.error from None
        except BaseException as error:  # out of time, or out of step: nothing more can be asked
            self.lost = error
            raise

    def _result(self, answer: dict[str, Any], lent: list[Any]) -> Any:
        print(str(answer.get("printed", ""))[:KEPT], end="")
        for place, new in answer.get("changed", []):
            if isinstance(lent[place], np.ndarray) or id(lent[place]) in self.theirs:
                replace(lent[place], self.unpack(new))
        if "error" in answer:
            raise _Told(named_error(str(answer["error"]), str(answer["text"])))
        value = self.unpack(answer["value"], lent)
        self.theirs |= {id(thing): thing for thing in lent_in(value)}
        return value

    def serve(self, asked: dict[str, Any]) -> None:
        """Answer one call from the other side."""
        arguments, named = self.unpack(asked["arguments"]), self.unpack(asked["named"])
        lent = lent_in([arguments, named])
        before = [thing.copy() for thing in lent]
        try:
            result = self.kept[asked["call"]](*arguments, **named)
            answer = {"value": self.pack(result, lent)}
            if len(json.dumps(answer)) > LIMIT:  # a list that holds itself fails here, too
                raise MemoryError("a result of more than 64 MiB")
        except (Exception, SystemExit) as error:
            answer = {"error": type(error).__name__, "text": what_it_says(error)}
        answer["changed"] = [
            [place, self.pack(new)]
            for place, (old, new) in enumerate(zip(before, lent))
            if changed(old, new)
        ]
        if isinstance(sys.stdout, Printed):
            answer["printed"] = sys.stdout.take()
        self.say(answer)

    def pack(self, value: Any, lent: Sequence[Any] = ()) -> Any:
        """``value`` as JSON can hold it; what lies in an array of ``lent`` is sent as a view."""
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return [self.pack(each, lent) for each in value]
        if kind is dict:
            return {"dict": [[self.pack(k), self.pack(v, lent)] for k, v in value.items()]}
        if kind in (tuple, set, frozenset):
            return {kind.__name__: [self.pack(each, lent) for each in value]}
        if kind is range:
            return {"range": [value.start, value.stop, value.step]}
        if kind is complex:
            return {"complex": [value.real, value.imag]}
        if kind is Fraction:
            return float(value)
        if isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
            return {"number": pack_array(value)}
        if isinstance(value, np.ndarray) and value.dtype.kind in NUMBERS:
            view = pack_view(value, lent)
            return {"view": view} if view else {"array": pack_array(value)}
        if isinstance(value, Remote) and value.peer is self:
            return {"yours": value.key}
        self.kept.append(value)
        stands = {"type": kind.__name__, "calls": callable(value)}
        return {"mine": len(self.kept) - 1, "parameters": parameters(value)} | stands

    def unpack(self, data: Any, lent: Sequence[Any] = ()) -> Any:
        """The value that was packed at the other end."""
        if isinstance(data, list):
            return [self.unpack(each, lent) for each in data]
        if not isinstance(data, dict):
            return data
        if "mine" in data:
            base = RemoteFunction if data["calls"] else Remote
            named = type(str(data["type"]), (base,), {})  # so that messages call it by its name
            return named(self, int(data["mine"]), data["parameters"])
        ((form, body),) = data.items()
        if form in _ARRAYS:
            return _ARRAYS[form](body, lent)
        if form == "yours":
            return self.kept[body]
        return _CONTAINERS[form](self.unpack(body, lent))


_ARRAYS: dict[str, Callable[[Any, Sequence[Any]], Any]] = {
    "array": lambda body, lent: unpack_array(body),
    "number": lambda body, lent: unpack_array(body)[()],
    "view": unpack_view,
}
_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "range": lambda body: range(*body),
    "complex": lambda body: complex(*body),
}


class _Told(Exception):
    """Carries an error of the other side past the handler of broken lines."""

    def __init__(self, error: BaseException):
        self.error = error
