"""What a check expects, said so that a failure explains itself.

Every function here returns quietly or raises ``Failure`` with a sentence for the reader. Wrong
results that a likely mistake would give can be named: a match says which mistake it was.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

TOLERANCE = 1e-8  # relative to the largest expected number; checks compute in float64

COUNTS = dict(enumerate(("no", "one", "two", "three", "four", "five", "six", "seven")))

Mistakes = Sequence[tuple[Any, str]]


class Failure(Exception):
    """An answer is not right; the message tells its author why."""


def expect(condition: Any, message: str) -> None:
    """Fail with ``message`` unless ``condition`` holds."""
    if not condition:
        raise Failure(message)


def expect_array(
    got: Any, shape: tuple[int, ...] | None = None, lists: bool = False, what: str = "your function"
) -> np.ndarray:
    """``got`` as an array of real numbers of ``shape``.

    ``lists`` allows what a pencil writes, too: plain lists, and whole numbers.
    """
    wanted = "" if shape is None else f" of shape {shape}"
    if lists and isinstance(got, list | tuple | int | float):
        got = _from_lists(got, f"{what} expected numbers{wanted}")
    if not isinstance(got, np.ndarray | np.generic):
        raise Failure(f"{what} should return a NumPy array{wanted}, and returned {describe(got)}.")
    got = np.asarray(got)
    if lists and got.dtype.kind == "i":
        got = got.astype(np.float64)
    if got.dtype.kind != "f":
        raise Failure(f"{what} should return real numbers (float64), and returned {got.dtype}.")
    if shape is not None and got.shape != shape:
        raise Failure(f"{what} should return the shape {shape}, and returned {got.shape}.")
    return got


def expect_close(got: Any, want: Any, message: str, mistakes: Mistakes = (), **how: Any) -> None:
    """Fail unless ``got`` equals ``want``; ``mistakes`` are pairs (the wrong result, its cause)."""
    want = np.asarray(want, dtype=np.float64)
    for wrong, cause in mistakes:
        if same(got, wrong) and not same(wrong, want):
            raise Failure(cause)
    got = expect_array(got, want.shape, **how)
    if same(got, want):
        return
    odd = "NaN" if np.isnan(got).any() else "infinite" if np.isinf(got).any() else ""
    if odd and np.isfinite(want).all():
        where = np.argwhere(~np.isfinite(got))[0]
        raise Failure(f"{message} The result is {odd}{_at(where)}.")
    if got.dtype.itemsize < 8 and np.allclose(got, want, rtol=1e-2, atol=1e-3):
        raise Failure(f"The result is {got.dtype}, rounder than its arguments: stay with float64.")
    where = np.unravel_index(np.argmax(np.abs(got - want)), want.shape)
    digits = 4 if f"{want[where]:.4g}" != f"{got[where]:.4g}" else 12
    raise Failure(
        f"{message} Expected {want[where]:.{digits}g}{_at(where)}, got {got[where]:.{digits}g}."
    )


def expect_choices(got: Any, count: int, choices: Sequence[str], order: str = "") -> None:
    """Fail unless ``got`` is ``count`` words out of ``choices``; ``order``: what each is for."""
    words = isinstance(got, tuple | list) and all(isinstance(word, str) for word in got)
    said = ", ".join(got)[:60] if words else describe(got)
    named = ", ".join(f'"{word}"' for word in choices) + (order and f", {order}")
    expect(
        words and len(got) == count and set(got) <= set(choices),
        f"Your function should return {COUNTS[count]} words out of {named}; it returned {said}.",
    )


def same(got: Any, want: Any) -> bool:
    """Whether ``got`` is numbers of the shape of ``want`` and equal to them up to rounding."""
    try:
        got = np.asarray(got)
        if got.dtype.kind not in "fi" or got.shape != np.shape(want):
            return False
    except (TypeError, ValueError):
        return False
    want = np.asarray(want, dtype=np.float64)
    finite = np.abs(want[np.isfinite(want)])
    scale = max(1.0, finite.max()) if finite.size else 1.0
    with np.errstate(all="ignore"):
        return bool(np.allclose(got, want, rtol=0, atol=TOLERANCE * scale, equal_nan=True))


def describe(value: Any) -> str:
    """What a value is, in a few words: ``None``, ``the string 'abc'``, ``a list``, ..."""
    if value is None:
        return "None (is there a `return`?)"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


def _from_lists(got: Any, wanted: str) -> np.ndarray:
    try:
        return np.asarray(got, dtype=np.float64)
    except (TypeError, ValueError):
        raise Failure(f"{wanted}, and got something else, or rows of unequal length.") from None


def _at(where: Any) -> str:
    return f" at index {[int(i) for i in where]}" if len(where) else ""
