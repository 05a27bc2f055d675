"""The Tensor: an array, and the node of the graph that made it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.graph import Leaf, Node, reverse_sweep
from minitx.backend.dtypes import natural_dtype


class Tensor:
    """An n-dimensional array that remembers how it was computed.

    ``data`` is anything that NumPy can read: numbers, nested lists, arrays, another Tensor.
    Python floats and float64 arrays take the default dtype (float32) unless ``dtype`` says
    otherwise; integers and booleans keep theirs. With ``requires_grad`` it is a leaf for which
    ``backward`` leaves a gradient in ``.grad``. Operators and most functions of
    ``minitx.functional`` are methods too, with the names and meanings of NumPy's and PyTorch's.
    """

    __slots__ = ("data", "node", "role")
    __array_ufunc__ = None  # numpy_array * tensor must ask the Tensor, not loop over its items

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False):
        self.data = as_array(data, dtype)
        self.node: Node | None = None
        self.role: str | None = None  # "parameter" or "buffer" of a Module
        if requires_grad:
            self.requires_grad = True

    @property
    def requires_grad(self) -> bool:
        """Whether a derivative with respect to this Tensor (or through it) is recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None and self.node.primitive is not None:
            raise ValueError("requires_grad can be set on leaves only; this Tensor was computed")
        if not wanted:
            self.node = None
        elif self.data.dtype.kind not in "fc":
            raise TypeError(f"only real and complex Tensors have gradients, got {self.dtype}")
        elif self.node is None:
            self.node = Leaf(self.data.shape, self.data.dtype)

    @property
    def grad(self) -> "Tensor | None":
        """What ``backward`` has added up for this leaf so far; None before."""
        found = self.node.grad if isinstance(self.node, Leaf) else None
        return None if found is None else wrap(found, None)

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if not isinstance(self.node, Leaf):
            raise ValueError("only a leaf with requires_grad has a .grad")
        if value is not None and tuple(value.shape) != self.shape:
            raise ValueError(f"the gradient's shape must be {self.shape}, got {value.shape}")
        self.node.grad = None if value is None else as_array(value, self.dtype)

    shape = property(lambda self: self.data.shape, doc="Lengths of the axes.")
    dtype = property(lambda self: self.data.dtype, doc="Type of the numbers.")
    ndim = property(lambda self: self.data.ndim, doc="Number of axes.")
    size = property(lambda self: self.data.size, doc="Number of entries.")

    @property
    def device(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return backend.device_of(self.data)

    def numpy(self) -> np.ndarray:
        """The numbers as a NumPy array (shared with the Tensor on the CPU, so do not write)."""
        return backend.to_numpy(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype, copy=copy)

    def item(self) -> Any:
        """The one number of a Tensor of size 1, as a Python number."""
        if self.data.size != 1:
            raise ValueError(f"item() expected a Tensor of one entry, got shape {self.shape}")
        return self.numpy().reshape(()).item()

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return self.numpy().tolist()

    def detach(self) -> "Tensor":
        """The same numbers, cut from the graph."""
        return wrap(self.data, None)

    def assign(self, data: Any) -> None:
        """Replace the numbers of a leaf, keeping shape, dtype and device.

        A graph that was recorded with the old numbers is marked: sweeping it is an error.
        """
        new = as_array(data, self.dtype)
        if new.shape != self.shape:
            raise ValueError(f"assign expected shape {self.shape}, got {new.shape}")
        if self.device == "cpu":
            new = backend.to_numpy(new)
        self.data = backend.namespace(self.data).array(new, order="C")
        self.changed()

    def changed(self) -> None:
        """Say that ``data`` was written in place, so that older graphs are known to be stale."""
        if self.node is not None:
            if self.node.primitive is not None:
                raise ValueError("only leaves may be changed in place; this Tensor was computed")
            self.node.stale = True
            gradient, self.node = self.node.grad, Leaf(self.data.shape, self.data.dtype)
            self.node.grad = gradient

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this Tensor to ``.grad`` of every leaf that it depends on.

        ``gradient`` is the cotangent to start from; a Tensor of one entry starts from 1. The graph
        is taken down on the way, so that its memory is free for the sweep itself, unless
        ``retain_graph``.
        """
        from minitx.autograd.spaces import raw

        if self.node is None:
            raise ValueError("backward() on a Tensor that no leaf with requires_grad leads to")
        if gradient is None and self.data.size != 1:
            raise ValueError(
                f"backward() without a gradient expected a Tensor of one entry, got {self.shape}"
            )
        xp = backend.namespace(self.data)
        seed = xp.ones_like(self.data) if gradient is None else as_array(gradient, self.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"the gradient's shape must be {self.shape}, got {seed.shape}")
        taken = {id(seed)}
        for node, value in reverse_sweep(
            raw(xp), {self.node: seed}, release=not retain_graph
        ).items():
            if isinstance(node, Leaf):
                value = value if node.grad is None else node.grad + value
                if id(value) in taken or not backend.is_array(value) or value.base is not None:
                    value = xp.array(value)  # leaves that were added share one cotangent
                taken.add(id(value))
                node.grad = value

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("a Tensor without axes has no length")
        return self.data.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        text = np.array2string(self.numpy(), separator=", ", prefix="Tensor(", threshold=100)
        extra = "" if self.data.dtype in (np.float32, np.int64) else f", {self.dtype}"
        return f"Tensor({text}{extra}{', requires_grad' if self.requires_grad else ''})"

    def __copy__(self) -> "Tensor":
        copied = wrap(self.data, self.node)
        copied.role = self.role
        return copied

    def __deepcopy__(self, memo: dict) -> "Tensor":
        copied = wrap(self.data.copy(), None)
        copied.role = self.role
        if self.requires_grad and self.node.primitive is None:
            copied.requires_grad = True
        memo[id(self)] = copied
        return copied

    def __reduce__(self):
        raise TypeError("Tensors are not pickled; save them with minitx.training.save_checkpoint")


def wrap(array: Any, node: Node | None) -> Tensor:
    """A Tensor around an array, as it is: no copy, no change of dtype."""
    tensor = Tensor.__new__(Tensor)
    tensor.data = array
    tensor.node = node
    tensor.role = None
    return tensor


def wrap_constant(value: Any) -> Tensor:
    """``value`` as a Tensor without derivative (as it is, if it is a Tensor)."""
    return value if type(value) is Tensor else Tensor(value)


def as_array(data: Any, dtype: Any = None) -> Any:
    """Read ``data`` into an array of a number type that is supported."""
    if isinstance(data, Tensor):
        array = data.data
    elif backend.is_array(data):
        array = data
    else:
        try:
            array = np.asarray(data)
        except ValueError as error:
            raise ValueError(
                f"cannot make a Tensor of this {type(data).__name__}: {error}"
            ) from None
        if array.dtype == object and isinstance(data, (list, tuple)):
            array = np.asarray([as_array(item) for item in data])
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Tensor holds numbers, got {type(data).__name__} of {array.dtype}")
    if dtype is None:
        chosen = array.dtype if isinstance(data, Tensor) else natural_dtype(array.dtype)
    else:
        chosen = backend.as_dtype(dtype)
    return array if array.dtype == chosen else array.astype(chosen)
