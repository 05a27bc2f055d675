"""What the battery walks: a line for everything that fills a slot, a file for each slot.

A new idea is registered in the file of its slot with a small instance, what it declares, and where
it is.
"""

from minitx.contracts.variants import (  # noqa: F401
    channel_mixers,
    connections,
    constructions,
    experts,
    heads,
    linear_mixers,
    loops,
    maps,
    objectives,
    positions,
    regressions,
    token_mixers,
    two_stream_mixers,
)
from minitx.contracts.variants.register import VARIANTS, register

__all__ = ["VARIANTS", "register"]
