"""The contracts of the slots: for each a list of checks, written once, for whatever fills it.

``battery`` has what all contracts share, each other file the checks of one slot, and ``variants``
the list of what is checked, a line each. ``python -m minitx.contracts`` runs everything; with
``--write`` it records the table of variants by checks that the book shows.
"""

from minitx.contracts import (  # noqa: F401
    channel_mixer,
    connection,
    construction,
    depth,
    head,
    maps,
    objective,
    position,
    token_mixer,
    two_stream_mixer,
)
from minitx.contracts.battery import (
    CONTRACTS,
    Contract,
    NotDeclared,
    NotOwed,
    Result,
    Variant,
    run_check,
)

__all__ = [
    "CONTRACTS", "Contract", "NotDeclared", "NotOwed", "Result", "Variant", "run_check", "run_all",
]  # fmt: skip


def run_all(contract: str | None = None) -> list[Result]:
    """Every check of every variant (of one contract), in the order of the lists."""
    from minitx.contracts.variants import VARIANTS

    return [
        run_check(variant, check)
        for variant in VARIANTS
        if contract in (None, variant.contract)
        for check in CONTRACTS[variant.contract].checks
    ]
