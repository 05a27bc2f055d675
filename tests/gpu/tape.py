"""A CUDA graph of the stand-in: what was computed, computed again on the same memory.

While it records, every function, method and operator on the stand-in's arrays is noted with the
very arrays that it read and wrote. A replay runs no line of the program that was recorded: a number
that Python had put in stays as it was, as in a captured graph. And as there, nothing may be read or
brought over meanwhile: that is a ``Leak``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests import standin
from tests.standin import Array, Function, Leak

READING = {"get", "item", "tolist", "tobytes", "__bool__", "__int__", "__float__", "__complex__",
           "__index__"}  # fmt: skip
APART = {"__init__", "__array__", "__array_ufunc__", "__array_function__", "__len__", "__iter__",
         "__repr__", "__deepcopy__", "__class__", "__hash__", "__getattribute__"}  # fmt: skip


class Tape:
    """Calls, in their order, with what each of them gave."""

    def __init__(self):
        self.calls: list[tuple[Callable, tuple, dict, Any]] = []
        self.result: Any = None
        self._inside_a_call = False

    def add(self, function: Callable, args: tuple, given: Any = None) -> None:
        self.calls.append((function, args, {}, given))

    def launch(self) -> Any:
        """Everything again; the result is where it was."""
        for function, args, options, given in self.calls:
            _copy(function(*args, **options), given)
        return self.result

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within the block, what is done with the stand-in's arrays is noted."""
        held = {name: value for name, value in vars(Array).items() if callable(value)}
        for name, method in held.items():
            if name in READING:
                setattr(Array, name, _refuse(name))
            elif name not in APART:
                setattr(Array, name, self._noted(method))
        call = Function.__call__
        Function.__call__ = self._noted(call)
        try:
            yield
        finally:
            Function.__call__ = call
            for name, method in held.items():
                setattr(Array, name, method)

    def _noted(self, function: Callable) -> Callable:
        def noted(*args: Any, **options: Any) -> Any:
            if self._inside_a_call:
                return function(*args, **options)
            if any(isinstance(x, np.ndarray) for x in args):
                raise Leak("an array of the host in a step that is captured")
            self._inside_a_call = True
            try:
                given = function(*args, **options)
            finally:
                self._inside_a_call = False
            self.calls.append((function, args, options, given))
            return given

        return noted


def _refuse(name: str) -> Callable:
    def refuse(*_: Any, **__: Any) -> Any:
        raise Leak(f"{name} reads the device in a step that is captured")

    return refuse


def _copy(new: Any, old: Any) -> None:
    """The numbers of what came now into what came when it was recorded."""
    if isinstance(old, standin.Array) and new is not old:
        if not np.shares_memory(new._inside, old._inside):
            old._inside[...] = new._inside
    elif isinstance(old, (list, tuple)):
        for one, other in zip(new, old, strict=True):
            _copy(one, other)
