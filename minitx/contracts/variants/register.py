"""How something that fills a slot is put on the list of what the battery walks."""

from collections.abc import Callable

from minitx.contracts.battery import Variant

VARIANTS: list[Variant] = []


def register(
    contract: str, name: str, code: str, make: Callable, traits: str = "", cost: float = 1.0
) -> None:
    """Put a variant on the list; ``traits`` are names with spaces between them."""
    if any((it.contract, it.name) == (contract, name) for it in VARIANTS):
        raise ValueError(f"there is already a {contract} called {name!r}")
    VARIANTS.append(Variant(name, contract, make, frozenset(traits.split()), cost, code))
