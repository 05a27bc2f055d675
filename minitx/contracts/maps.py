"""What a map owes: a table from the topics of a survey to code of this package, each with a law.

A survey fills no slot. What its row promises is that whatever it speaks of is here, under a name,
and does what the survey says; so each topic comes with a law that its code keeps.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitx.contracts.battery import Contract, Variant, distance, same

MAP = Contract("map")


@dataclass(frozen=True)
class Topic:
    """Something that a survey speaks of: its name, the page that explains it, code, and a law.

    ``law(code, rng)`` gives two arrays that are equal if the code does what the survey says.
    """

    name: str
    page: str
    code: str
    law: Callable[[Any, np.random.Generator], tuple[np.ndarray, np.ndarray]]

    def found(self) -> Any:
        """The code itself."""
        module, name = self.code.split(":")
        return getattr(importlib.import_module(module), name)

    def sides(self, seed: int, code: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Both sides of the law, with other code in the place of its own if some is given."""
        return self.law(self.found() if code is None else code, np.random.default_rng(seed))


def topics(variant: Variant) -> list[Topic]:
    return variant.make(np.random.default_rng(0))


@MAP.check
def code_is_there(variant: Variant) -> None:
    """Every topic names code that can be called and says what it does."""
    for topic in topics(variant):
        code = topic.found()
        assert callable(code), f"{topic.name}: {topic.code} cannot be called"
        assert (code.__doc__ or "").strip(), f"{topic.name}: {topic.code} has no docstring"


@MAP.check
def topics_once(variant: Variant) -> None:
    """At least five topics, and no topic and no code twice."""
    names, codes = ([getattr(t, what) for t in topics(variant)] for what in ("name", "code"))
    assert len(names) >= 5, f"a map of {len(names)} topics"
    assert len(set(names)) == len(names), f"a topic stands twice: {names}"
    assert len(set(codes)) == len(codes), f"code stands twice: {codes}"


@MAP.check
def laws_hold(variant: Variant) -> None:
    """Both sides of every law are equal, for several draws."""
    for topic in topics(variant):
        for seed in range(3):
            same(*topic.sides(seed), 1e-9, f"{topic.name}, draw {seed}")


@MAP.check
def laws_speak_of_their_draw(variant: Variant) -> None:
    """Another draw has other numbers: a law does not compare two constants."""
    for topic in topics(variant):
        (one, _), (other, _) = topic.sides(0), topic.sides(1)
        assert distance(one, other) > 1e-3, f"{topic.name}: two draws give the same numbers"


@MAP.check
def laws_speak_of_their_code(variant: Variant) -> None:
    """A law uses the code that its topic names: without it there is no result."""

    class Missing(Exception):
        pass

    def missing(*args: Any, **kwargs: Any) -> None:
        raise Missing

    for topic in topics(variant):
        try:
            topic.sides(0, missing)
        except Missing:
            continue
        raise AssertionError(f"{topic.name}: the law holds without {topic.code}")
