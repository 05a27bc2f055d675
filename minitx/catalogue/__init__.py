"""The papers of the book: one row each in ``<chapter>.toml``, its claim in numbered parts.

``load()`` reads and checks all rows, ``find(key)`` gives one, ``search(words)`` some. What was
measured for the parts that are trained is in ``results.json``, which ``results`` reads.
"""

from minitx.catalogue.read import CatalogueError, find, load, search
from minitx.catalogue.rows import (
    COMPARATORS,
    CONTRACTS,
    KINDS,
    Failure,
    Measure,
    Paper,
    Part,
)

__all__ = [
    "COMPARATORS",
    "CONTRACTS",
    "KINDS",
    "CatalogueError",
    "Failure",
    "Measure",
    "Paper",
    "Part",
    "find",
    "load",
    "search",
]
