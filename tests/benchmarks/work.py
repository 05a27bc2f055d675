"""What is measured: a name, programs that do the same, and the ratio that is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

Programs = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Work:
    """``make()`` gives ``{"minitx": program, referee: program, ...}``, built when they are called.

    ``who`` names them beforehand, since each runs in a process of its own. ``targets`` maps a
    number of threads to the largest ratio, ours / the fastest referee, that is aimed at; without
    one the work is measured and judged by nobody.
    """

    name: str
    make: Callable[[], Programs]
    who: tuple[str, ...] = ("minitx", "torch")
    targets: Mapping[int, float] = field(default_factory=dict)


def lazily(build: Callable[[], Callable]) -> Callable[[], object]:
    """The program that ``build`` gives, built when it is called for the first time."""
    built = cache(build)
    return lambda: built()()
