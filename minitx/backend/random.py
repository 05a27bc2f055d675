"""Random numbers from an explicit generator: the same seed gives the same bits, on every device.

Draws are made on the CPU by NumPy's PCG64 and moved to where they are needed, so that a model
started from one seed has the same weights on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy


def generator(seed: int | numpy.random.Generator | None = 0) -> numpy.random.Generator:
    """A generator from a seed; a generator given is handed back. ``None`` asks the system."""
    if isinstance(seed, numpy.random.Generator):
        return seed
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, numpy.integer))):
        raise TypeError(f"expected a seed (int) or a numpy Generator, got {type(seed).__name__}")
    return numpy.random.Generator(numpy.random.PCG64(seed))


def spawn(rng: numpy.random.Generator, count: int) -> list[numpy.random.Generator]:
    """``count`` independent generators, derived from ``rng``."""
    return rng.spawn(count)


def get_state(rng: numpy.random.Generator) -> dict[str, Any]:
    """The generator's state, as numbers and strings that JSON can hold."""
    return rng.bit_generator.state


def set_state(rng: numpy.random.Generator, state: dict[str, Any]) -> None:
    """Put ``rng`` back to a state taken with ``get_state``."""
    rng.bit_generator.state = state
