"""The table of primitives, and the spaces in which rules find them by name.

A rule is written over a space ``F``. In ``raw(numpy)`` its names are computations on the arrays of
a library, in ``TRACED`` they are primitives on Tensors, which leave a graph behind.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor, wrap

TABLE: dict[str, Any] = {}  # every primitive by its name


class _Raw:
    """The primitives on the arrays of one library, by name; operators are the library's own."""

    traced = False

    def __init__(self, xp: Any):
        self.xp = xp

    def __getattr__(self, name: str) -> Callable:
        if name not in TABLE:
            raise AttributeError(f"there is no primitive called {name!r}")
        bound = partial(TABLE[name].forward, self.xp)
        if TABLE[name].fused:  # its forward computation gives a residual as well
            fused_forward = bound
            bound = lambda *arrays, **params: fused_forward(*arrays, **params)[0]  # noqa: E731
        setattr(self, name, bound)
        return bound

    def conj(self, x: Any) -> Any:
        try:
            return x if x.dtype.kind != "c" else x.conjugate()
        except AttributeError:  # a Python number
            return x.conjugate()

    def zeros_like(self, x: Any) -> Any:
        return self.xp.zeros_like(x)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self.xp.where(condition, a, b)


class _Traced:
    """The primitives on Tensors, by name."""

    traced = True

    def __getattr__(self, name: str) -> Callable:
        if name not in TABLE:
            raise AttributeError(f"there is no primitive called {name!r}")
        return TABLE[name]

    def conj(self, x: Any) -> Any:
        if type(x) is Tensor:
            return TABLE["conj"](x) if x.dtype.kind == "c" else x
        return x.conjugate() if type(x) is complex else x

    def zeros_like(self, x: Tensor) -> Tensor:
        return wrap(backend.namespace(x.data).zeros_like(x.data), None)

    def where(self, condition: Any, a: Any, b: Any) -> Tensor:
        return TABLE["select"](a, b, condition=getattr(condition, "data", condition))


TRACED = _Traced()
_RAW: dict[int, _Raw] = {}


def raw(xp: Any) -> _Raw:
    """The space of the arrays of library ``xp``."""
    space = _RAW.get(id(xp))
    if space is None:
        space = _RAW[id(xp)] = _Raw(xp)
    return space
