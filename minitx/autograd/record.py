"""Name, read and replace what happens inside a computation.

Code that makes something worth looking at says so: ``weights = note("weights", weights)``. Without
a listener that costs next to nothing and returns its argument. Within ``listening(tape)`` the
Tensor is kept under its full name, or replaced by what the tape's owner wants there instead.
Fused primitives run as their naive twins meanwhile, because a fused step has no inside.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minitx.autograd.graph import naive_twins
from minitx.autograd.tensor import Tensor


class Tape:
    """What a listener hears: Tensors by name, in the order in which they were made.

    ``tape["blocks.0.mixer.weights"]`` is the last Tensor of that name, ``tape.all(name)`` every
    one (a looped layer makes several), ``tape.names()`` the names heard. ``replace`` maps a name
    to a function from the Tensor that was made to the one that the computation goes on with.
    """

    def __init__(self, replace: dict[str, Callable[[Tensor], Tensor]] | None = None):
        self.replace = dict(replace or {})
        self._heard: dict[str, list[Any]] = {}
        self.module_names: dict[int, str] = {}

    def hear(self, name: str, value: Any) -> Any:
        if name in self.replace:
            value = self.replace[name](value)
        self._heard.setdefault(name, []).append(value)
        return value

    def names(self) -> list[str]:
        return list(self._heard)

    def all(self, name: str) -> list[Any]:
        if name not in self._heard:
            raise KeyError(f"nothing was recorded as {name!r}; there are {self.names()}")
        return self._heard[name]

    def __getitem__(self, name: str) -> Any:
        return self.all(name)[-1]

    def __contains__(self, name: str) -> bool:
        return name in self._heard


class _Listener(threading.local):
    tape: Tape | None = None
    path: tuple[str, ...] = ()


listener = _Listener()


def note(name: str, value: Any) -> Any:
    """Offer ``value`` to the listener, if there is one; returns what to go on with."""
    if listener.tape is None:
        return value
    return listener.tape.hear(".".join((*listener.path, name)), value)


@contextmanager
def listening(tape: Tape) -> Iterator[Tape]:
    """Within the block, ``tape`` hears every ``note``."""
    before, path = listener.tape, listener.path
    listener.tape, listener.path = tape, ()
    try:
        with naive_twins():
            yield tape
    finally:
        listener.tape, listener.path = before, path


@contextmanager
def within(name: str) -> Iterator[None]:
    """Within the block, names are prefixed by ``name``."""
    path = listener.path
    listener.path = (*path, name)
    try:
        yield
    finally:
        listener.path = path
