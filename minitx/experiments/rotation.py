"""Which trained parts to run again when there is no time for all of them.

Those whose record has changed since an older results file, then a sample that moves on every day,
so that every part has its turn; as many as fit into the time, going by the seconds they took.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from minitx.catalogue import Paper, Part

Chosen = tuple[Paper, Part]


def trained(papers: Iterable[Paper]) -> list[Chosen]:
    """Every trained part, in an order that has nothing to do with chapters."""
    parts = [(paper, part) for paper in papers for part in paper.parts if not part.exact]
    return sorted(parts, key=_shuffled)


def changed(parts: Iterable[Chosen], old: dict[str, Any], new: dict[str, Any]) -> list[Chosen]:
    """The parts of which ``new`` says something else than ``old``: another hash, other numbers."""
    return [chosen for chosen in parts if result(new, chosen) != result(old, chosen)]


def sample(parts: Sequence[Chosen], count: int, turn: int) -> list[Chosen]:
    """``count`` parts, other ones each ``turn`` (a day's number): all come up in due course."""
    count = min(count, len(parts))
    return [parts[(turn * count + i) % len(parts)] for i in range(count)]


def within(
    parts: Iterable[Chosen], results: dict[str, Any], seconds: float
) -> tuple[list[Chosen], list[Chosen]]:
    """(those that fit into ``seconds``, those that do not), the first of ``parts`` first."""
    fit: list[Chosen] = []
    left: list[Chosen] = []
    for chosen in parts:
        cost = (result(results, chosen) or {}).get("seconds", 0.0)
        if cost <= seconds:
            fit.append(chosen)
            seconds -= cost
        else:
            left.append(chosen)
    return fit, left


def _shuffled(chosen: Chosen) -> str:
    paper, part = chosen
    return hashlib.sha256(f"{paper.key} {part.number}".encode()).hexdigest()


def result(results: dict[str, Any], chosen: Chosen) -> dict[str, Any] | None:
    """What is recorded for a part, if anything."""
    paper, part = chosen
    return results.get(paper.key, {}).get(str(part.number))
