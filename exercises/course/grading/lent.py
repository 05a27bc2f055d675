"""What a call lends to a function and it may change: arrays, lists, dictionaries and sets.

The function has copies of them, so what it changed is told afterwards and done again to the
originals, as if they had been in its hands: to arrays, for a check looks for that, and to
containers that came from the function's own side, such as a state. The judge's own stay as they
are, or a function could change the question until its answer is right.
"""

from typing import Any

import numpy as np


def lent_in(value: Any) -> list[Any]:
    """All that may be changed in a nest of containers, in the order in which it is sent."""
    own = [value] if isinstance(value, np.ndarray | list | dict | set) else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        own += [inner for each in value for inner in lent_in(each)]
    return own


def changed(old: Any, new: Any) -> bool:
    """Whether ``new``, of which ``old`` is a shallow copy, holds something else by now."""
    if isinstance(new, np.ndarray):
        return not np.array_equal(old, new, equal_nan=new.dtype.kind in "fc")
    if isinstance(new, set):
        return old != new
    if isinstance(new, dict):
        return list(old) != list(new) or any(old[key] is not new[key] for key in new)
    return len(old) != len(new) or any(a is not b for a, b in zip(old, new))


def replace(thing: Any, new: Any) -> None:
    """Let ``thing`` hold what ``new`` holds."""
    if isinstance(thing, np.ndarray):
        np.copyto(thing, new, casting="same_kind")
    elif isinstance(thing, list):
        thing[:] = new
    else:
        thing.clear()
        thing.update(new)
