"""What a row says: a Paper, the Parts of its claim, and the Measures that decide each.

Thresholds stand here, in the catalogue, and nowhere else: an experiment returns what it measured
and does not know what would be enough.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONTRACTS = (
    "token_mixer two_stream_mixer channel_mixer position connection depth tokens head objective "
    "optimiser model_transform probe construction data map"
).split()
KINDS = "analysis construction survey system theory".split()
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
COMPARATORS = (*_COMPARE, "~")


@dataclass(frozen=True)
class Measure:
    """One number that a part must reach: ``value comparator threshold``.

    The comparator ``~`` means within ``tolerance`` of the threshold. NaN never holds.
    """

    comparator: str
    threshold: float
    unit: str = ""
    tolerance: float = 0.0
    name: str = "value"

    def holds(self, value: float) -> bool:
        """Whether this value is good enough."""
        if self.comparator == "~":
            return abs(value - self.threshold) <= self.tolerance
        return _COMPARE[self.comparator](value, self.threshold)

    def worst(self, values: Sequence[float]) -> float:
        """Of several values, the one that is furthest from good enough; NaN before any other."""
        if any(math.isnan(value) for value in values):
            return math.nan
        if self.comparator in ("<", "<="):
            return max(values)
        if self.comparator in (">", ">="):
            return min(values)
        return max(values, key=lambda value: abs(value - self.threshold))

    def wanted(self) -> str:
        """The condition as text: ``<= 1e-06``, ``~ -0.5 (0.1)``."""
        text = f"{self.comparator} {self.threshold:g}"
        text += f" ({self.tolerance:g})" if self.comparator == "~" else ""
        return f"{text} {self.unit}".rstrip()


@dataclass(frozen=True)
class Failure:
    """A trained part that does not reproduce: why, and with which seeds it was seen to fail."""

    reason: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A numbered part of a claim.

    ``kind`` is "exact" (an identity, a construction, a limit: never excused) or "trained". Every
    measure must hold: for each of the ``seeds``, or for the mean over them (``over``).
    """

    number: int
    text: str
    kind: str
    measures: tuple[Measure, ...]
    seeds: tuple[int, ...] = (0,)
    over: str = "each"
    failure: Failure | None = None

    @property
    def exact(self) -> bool:
        return self.kind == "exact"


@dataclass(frozen=True)
class Paper:
    """A row: bibliographic facts, what the code is and what it owes, and the claim."""

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    arxiv: str
    kind: str
    chapter: str
    contract: str
    claim: str
    parts: tuple[Part, ...]
    traits: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    page: str = ""
    exercise: str = ""
    file: Path = Path()

    def part(self, number: int) -> Part:
        """The part with this number."""
        for part in self.parts:
            if part.number == number:
                return part
        numbers = ", ".join(str(part.number) for part in self.parts)
        raise KeyError(f"{self.key} has the parts {numbers}, not {number}")
