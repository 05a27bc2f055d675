"""Masks: which query may attend to which key. Objects that compose with ``&``.

A Mask knows a rule, not sizes; the boolean array is built when attention has the pairs before it.
"Earlier" and "later" mean the order in the sequence, with the last query aligned to the last key
(so a rule holds unchanged when keys come out of a cache), except in the masks that say that they
go by coordinates. True = may attend.
"""

from dataclasses import dataclass
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor


@dataclass(frozen=True)
class Pairs:
    """The T queries and S keys that a mask is asked about; coordinates (B or 1, T or S, p)."""

    T: int
    S: int
    coords_q: Any
    coords_k: Any
    xp: Any

    @property
    def queries(self) -> Any:
        """The order of the queries, (T, 1): the last one is S - 1."""
        return self.xp.arange(self.S - self.T, self.S)[:, None]

    @property
    def keys(self) -> Any:
        """The order of the keys, (1, S)."""
        return self.xp.arange(self.S)[None, :]


class Mask:
    """A rule that says which pairs may meet; ``a & b`` allows what both allow."""

    causal = False  # whether what was said stays as it was when another token comes

    def allowed(self, pairs: Pairs) -> Any:
        """A boolean array that broadcasts to (B, H, T, S)."""
        raise TypeError(f"{type(self).__name__} does not define allowed")

    def parts(self) -> list["Mask"]:
        """The rules that must all hold."""
        return [self]

    def __and__(self, other: Any) -> "Mask":
        return Both(self, as_mask(other))

    def __rand__(self, other: Any) -> "Mask":
        return Both(as_mask(other), self)


class Both(Mask):
    """What ``first`` and ``second`` both allow."""

    def __init__(self, first: Mask, second: Mask):
        self.first, self.second = first, second

    def allowed(self, pairs: Pairs) -> Any:
        return self.first.allowed(pairs) & self.second.allowed(pairs)

    def parts(self) -> list[Mask]:
        return self.first.parts() + self.second.parts()


class Causal(Mask):
    """A token may attend to itself and to what came before."""

    causal = True

    def allowed(self, pairs: Pairs) -> Any:
        return pairs.keys <= pairs.queries


class Window(Mask):
    """Only tokens less than ``size`` places away meet; with Causal, the last ``size``."""

    def __init__(self, size: int):
        if size < 1:
            raise ValueError(f"Window expected a size of at least 1, got {size}")
        self.size = size

    def allowed(self, pairs: Pairs) -> Any:
        return abs(pairs.keys - pairs.queries) < self.size


class Prefix(Mask):
    """Causal, but the first ``length`` tokens all see one another; ``length`` a number or (B,).

    Step by step, the whole prefix must be given in the first step.
    """

    causal = True

    def __init__(self, length: Any):
        self.length = length

    def allowed(self, pairs: Pairs) -> Any:
        length = pairs.xp.asarray(self.length).reshape(-1, 1, 1, 1)
        return (pairs.keys <= pairs.queries) | (pairs.keys < length)


class Padding(Mask):
    """Only keys that are there may be attended to: ``valid`` (B, S), True where a token is."""

    def __init__(self, valid: Any):
        self.valid = valid.data if isinstance(valid, Tensor) else valid
        if self.valid.dtype.kind != "b" or self.valid.ndim != 2:
            raise TypeError(
                "Padding expected a boolean array (B, S), True where a token is there, "
                f"got {self.valid.dtype} {self.valid.shape}"
            )

    def allowed(self, pairs: Pairs) -> Any:
        if self.valid.shape[1] != pairs.S:
            raise ValueError(f"Padding expected {pairs.S} keys, got valid {self.valid.shape}")
        return self.valid[:, None, None, :]


class Same(Mask):
    """Tokens meet where their coordinate number ``axis`` is the same (packed documents, rows)."""

    def __init__(self, axis: int = 0):
        self.axis = axis

    def allowed(self, pairs: Pairs) -> Any:
        q, k = pairs.coords_q[..., self.axis], pairs.coords_k[..., self.axis]
        return (k[:, None, :] == q[:, :, None])[:, None]  # (B, 1, T, S)


class NotAfter(Mask):
    """Causal by coordinate ``axis`` (time), whatever the order: equal times see one another."""

    def __init__(self, axis: int = 0):
        self.axis = axis

    def allowed(self, pairs: Pairs) -> Any:
        q, k = pairs.coords_q[..., self.axis], pairs.coords_k[..., self.axis]
        return (k[:, None, :] <= q[:, :, None])[:, None]  # (B, 1, T, S)


class Given(Mask):
    """A boolean array (T, S), (B, T, S) or (B, H, T, S), as it is."""

    def __init__(self, array: Any):
        if array.dtype.kind != "b" or array.ndim not in (2, 3, 4):
            raise TypeError(
                "a mask is boolean, (T, S), (B, T, S) or (B, H, T, S), True = may attend; "
                f"got {array.dtype} {array.shape}"
            )
        self.array = array[:, None] if array.ndim == 3 else array

    def allowed(self, pairs: Pairs) -> Any:
        return self.array


def as_mask(mask: Any) -> Mask:
    """A Mask as it is, an array or Tensor as the Mask of its entries."""
    if isinstance(mask, Mask):
        return mask
    array = mask.data if isinstance(mask, Tensor) else mask
    if not backend.is_array(array):
        raise TypeError(f"expected a Mask or a boolean array, got {type(mask).__name__}")
    return Given(array)


def resolve(masks: list[Any], pairs: Pairs) -> tuple[Any, bool]:
    """(boolean array or None, causal): the rules together, with Causal kept apart.

    Attention has a faster way for Causal than an array of booleans.
    """
    rules = [part for mask in masks if mask is not None for part in as_mask(mask).parts()]
    causal = any(type(rule) is Causal for rule in rules)
    found = None
    for rule in rules:
        if type(rule) is not Causal:
            allowed = rule.allowed(pairs)
            found = allowed if found is None else found & allowed
    return found, causal and pairs.T > 1  # one query, the last, may see every key
