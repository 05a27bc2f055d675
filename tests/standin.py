"""A strict stand-in for an array on a GPU, so that a leak to NumPy fails on any machine.

``Array`` keeps its numbers in a NumPy array that nobody outside may touch. As CuPy's arrays do, it
raises when NumPy asks for its numbers and when it meets a NumPy array in an operator; unlike them
it also refuses NumPy's functions, which never belong in code for both. ``library`` is its
namespace: it has the functions of NumPy that CuPy has too, takes and gives ``Array`` alone, and
lets numbers and lists through. Explicit transfers are as with CuPy: ``library.asarray(x)`` there,
``x.get()`` back.
"""

import operator
from typing import Any

import numpy as np

from minitx.autograd import Tensor
from minitx.autograd.tensor import wrap

# Functions of NumPy that CuPy 14 does not have: code that runs on both may not use them.
ABSENT = frozenset(
    "block bmat emath errstate frompyfunc geomspace insert isnat matvec ma memmap nanquantile "
    "ndenumerate nditer polyder polyint rec seterr spacing strings unstack vecdot vecmat".split()
)
ABSENT_LINALG = frozenset(
    "diagonal matrix_norm multi_dot outer svdvals tensordot trace vecdot vector_norm".split()
)
# Methods of universal functions that CuPy 14 has for these alone; the others raise.
METHODS = {"accumulate": {"add", "multiply"}, "reduce": {"add", "multiply"}, "reduceat": {"add"}}
_EXPLICIT = {"array", "asarray", "ascontiguousarray", "asfortranarray"}  # transfers to the device


class Leak(TypeError):
    """An array left its device without anybody saying so."""


class Array:
    """Numbers that NumPy may not see."""

    __slots__ = ("_inside",)
    __array_priority__ = 100

    def __init__(self, inside: np.ndarray):
        self._inside = inside

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Leak("implicit conversion to a NumPy array; .get() is the explicit one")

    def __array_ufunc__(self, function: Any, *_: Any, **__: Any) -> Any:
        raise Leak(f"numpy.{function.__name__} was called on an array of another library")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise Leak(f"numpy.{function.__name__} was called on an array of another library")

    def get(self) -> np.ndarray:
        """The numbers, brought back explicitly."""
        return self._inside.copy()

    shape = property(lambda self: self._inside.shape)
    dtype = property(lambda self: self._inside.dtype)
    ndim = property(lambda self: self._inside.ndim)
    size = property(lambda self: self._inside.size)
    strides = property(lambda self: self._inside.strides)
    nbytes = property(lambda self: self._inside.nbytes)
    T = property(lambda self: Array(self._inside.T))
    mT = property(lambda self: Array(self._inside.swapaxes(-1, -2)))
    real = property(lambda self: Array(np.asarray(self._inside.real)))
    imag = property(lambda self: Array(np.asarray(self._inside.imag)))
    base = property(lambda self: self._inside.base)
    flags = property(lambda self: self._inside.flags)

    def __getitem__(self, index: Any) -> "Array":
        return Array(np.asarray(self._inside[_index(index)]))

    def __setitem__(self, index: Any, value: Any) -> None:
        self._inside[_index(index)] = _take(value)

    def __len__(self) -> int:
        return len(self._inside)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    # These wait for the device and copy one number: allowed, as in CuPy.
    def __bool__(self) -> bool:
        return bool(self._inside)

    def __int__(self) -> int:
        return int(self._inside)

    def __float__(self) -> float:
        return float(self._inside)

    def __complex__(self) -> complex:
        return complex(self._inside)

    def __index__(self) -> int:
        return operator.index(self._inside)

    def item(self, *index: int) -> Any:
        return self._inside.item(*index)

    def tolist(self) -> Any:
        return self._inside.tolist()

    def __repr__(self) -> str:
        return f"standin.{self._inside!r}"

    def __deepcopy__(self, memo: dict) -> "Array":
        return Array(self._inside.copy())


def _take(value: Any) -> Any:
    """What NumPy may compute with: the inside of an Array, a number, a list of them."""
    if isinstance(value, Array):
        return value._inside
    if isinstance(value, np.ndarray):
        raise Leak("an array of NumPy met one of another library: bring it over with xp.asarray")
    if isinstance(value, (list, tuple)):
        return type(value)(_take(one) for one in value)
    if isinstance(value, Tensor):
        raise Leak("a Tensor was given where an array was expected")
    return value


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_index(part) for part in index)
    return _take(index)


def _give(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return Array(np.asarray(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_give, value))
    if isinstance(value, (list, tuple)):
        return type(value)(_give(one) for one in value)
    return value


class Function:
    """A function of NumPy's, on Arrays; a ufunc's ``at`` and ``reduce`` as well."""

    def __init__(self, function: Any):
        self._function = function
        self.__name__ = function.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        explicit = self.__name__ in _EXPLICIT and isinstance(args[0], np.ndarray)
        taken = [args[0].copy(), *args[1:]] if explicit else [_take(arg) for arg in args]
        found = self._function(*taken, **{key: _take(value) for key, value in kwargs.items()})
        return out if isinstance(out, Array) else _give(found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not isinstance(self._function, np.ufunc):
            raise AttributeError(name)
        if self._function.__name__ not in METHODS.get(name, {self._function.__name__}):
            raise NotImplementedError(f"CuPy has no {self._function.__name__}.{name}")
        return Function(getattr(self._function, name))


class Namespace:
    """A module of NumPy's, on Arrays."""

    def __init__(self, module: Any, absent: frozenset[str], device: str | None = None):
        self._module, self._absent = module, absent
        if device:
            self.device = device

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in self._absent:
            raise AttributeError(f"the library has no {name!r} (CuPy has none either)")
        found = getattr(self._module, name)
        if isinstance(found, type(np)):
            found = Namespace(found, ABSENT_LINALG if name == "linalg" else frozenset())
        elif callable(found) and not isinstance(found, type):
            found = Function(found)
        setattr(self, name, found)
        return found


def _method(name: str) -> Any:
    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return Function(getattr(self._inside, name))(*args, **kwargs)

    return method


def _operator(name: str) -> Any:
    def method(self: Array, *others: Any) -> Any:
        found = getattr(self._inside, name)(*map(_take, others))
        if found is NotImplemented:
            return NotImplemented
        return self if found is self._inside else _give(found)

    return method


for _name in (
    "all any argmax argmin argpartition argsort astype choose clip conj conjugate copy cumprod "
    "cumsum diagonal dot fill flatten max mean min nonzero prod ravel repeat reshape round "
    "searchsorted sort squeeze std sum swapaxes take tobytes trace transpose var view"
).split():
    setattr(Array, _name, _method(_name))

for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    for _kind in ("", "r", "i"):
        if hasattr(np.ndarray, f"__{_kind}{_name}__"):
            setattr(Array, f"__{_kind}{_name}__", _operator(f"__{_kind}{_name}__"))
for _name in "lt le gt ge eq ne neg pos abs invert".split():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
Array.__hash__ = None

library = Namespace(np, ABSENT, device="cuda")


# ------------------------------------------------------------------------------- conveniences


def array(data: Any, dtype: Any = None) -> Array:
    """An Array with the numbers of ``data``."""
    return Array(np.array(data, dtype))


def tensor(data: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """A Tensor whose numbers are in an Array."""
    found = wrap(array(getattr(data, "data", data), dtype), None)
    if requires_grad:
        found.requires_grad = True
    return found


def convert(module: Any) -> Any:
    """Move all parameters and buffers of ``module`` into Arrays; returns the module."""
    for held in {id(held): held for *_, held in module._tensors()}.values():
        if not isinstance(held.data, Array):
            held.data = Array(held.data.copy())
            held.changed()
    return module
