"""Run the checks of a contract on a mutant, and see that the right one fails."""

from minitx.contracts import CONTRACTS, Result, Variant, run_check


def verdicts(contract, make, traits="", cost=1.0) -> dict[str, Result]:
    """The Result of each check, by its name."""
    variant = Variant("mutant", contract, make, frozenset(traits.split()), cost)
    results = [run_check(variant, check) for check in CONTRACTS[contract].checks]
    return {result.check: result for result in results}


def caught(contract, make, check, message, traits="", cost=1.0):
    """Assert that ``check`` fails, with this in its message."""
    found = verdicts(contract, make, traits, cost)[check]
    assert found.result == "fail", f"{check} says {found.result}"
    assert message in found.message, found.message
