"""The greatest common divisor, as a program for the transformer."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect
from minitx.checks.programs.program import assembled, runs

check_gcd = Exercise(
    name="programs/gcd",
    title="Open: the greatest common divisor",
    call="gcd()",
    kind="open",
    difficulty=3,
    minutes=45,
    insight="An algorithm of Euclid's, on a transformer that has never heard of numbers.",
)

Rng = np.random.Generator
FEW, MANY = 150, 600  # cycles: for numbers that are quickly done, and for all


def _divisors(gcd: Callable[[], Any], pairs: Any, cause: str, limit: int = FEW) -> list[dict]:
    program = assembled(gcd, ("x", "y", "g"))
    inputs = [{"x": int(x), "y": int(y)} for x, y in pairs]
    found = runs(program, inputs, limit)
    for values, cells in zip(inputs, found):
        x, y = values["x"], values["y"]
        expect(
            cells["g"] == math.gcd(x, y),
            f"With x = {x} and y = {y} it leaves g = {cells['g']}, not {math.gcd(x, y)}. {cause}",
        )
    return found


@check_gcd.stage("Two equal numbers")
def equal(gcd: Callable[[], Any], rng: Rng) -> None:
    _divisors(gcd, [(6, 6), (1, 1)], "Equal numbers are their own divisor.")


@check_gcd.stage("One divides the other")
def divides(gcd: Callable[[], Any], rng: Rng) -> None:
    cause = "The smaller is the answer here: take it away until nothing is left, and keep it."
    _divisors(gcd, [(12, 4), (4, 12), (7, 1)], cause)


@check_gcd.stage("Neither does, and many numbers", points=3)
def neither(gcd: Callable[[], Any], rng: Rng) -> str:
    cause = "What is left over must take its turn as the smaller number."
    pairs = [(12, 18), (18, 12), (10, 15), (1, 40), *rng.integers(1, 41, (8, 2))]
    found = _divisors(gcd, pairs, cause, MANY)
    cycles = np.mean([cells["cycles"] for cells in found])
    size = len(assembled(gcd, ("x", "y", "g")).code)
    return f"{size} instructions, and {cycles:.0f} cycles on the average."
