"""Which digits of two numbers decide the next digit of their sum: guess, then measure."""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect
from minitx.checks.tokens.oracle import Rng

check_prediction = Exercise(
    name="tokens/prediction",
    title="Predict, then run: the next digit of a sum",
    call="prediction()",
    kind="predict",
    difficulty=2,
    minutes=15,
    insight="Written from its lowest digit, a sum is a rule of four digits, however long it is.",
)

BASE, DIGITS = 4, 3  # small enough to try every sum; the counts are those of base 10
CASES = (("highest first", 0), ("lowest first", 0), ("lowest first", 2))


@lru_cache
def digits_needed(order: str, place: int) -> int:
    """The fewest of the 2 x 3 digits that, with the sum's digits so far, decide the next one."""
    numbers = np.arange(BASE**DIGITS)
    a, b = (x.ravel() for x in np.meshgrid(numbers, numbers))
    given = [x // BASE**k % BASE for x in (a, b) for k in range(DIGITS)]
    total = [(a + b) // BASE**k % BASE for k in range(DIGITS + 1)]
    total = total[::-1] if order == "highest first" else total
    for count in range(len(given) + 1):
        for chosen in combinations(given, count):
            code = np.zeros(len(a), dtype=np.int64)
            for digit in (*chosen, *total[:place]):
                code = code * BASE + digit
            if len(np.unique(code)) == len(np.unique(code * BASE + total[place])):
                return count
    raise AssertionError("all digits together decide the sum")


@check_prediction.stage("Three numbers, one for each case")
def three_numbers(prediction: Callable[[], Any], rng: Rng) -> None:
    got = prediction()
    good = isinstance(got, tuple | list) and len(got) == 3
    expect(
        good and all(isinstance(x, int) and 0 <= x <= 2 * DIGITS for x in got),
        f"Your function should return three whole numbers from 0 to {2 * DIGITS}; it returned "
        f"{got if isinstance(got, tuple | list) and len(got) < 6 else describe(got)}.",
    )


def _asks_case(index: int, why: str) -> None:
    """Adds the question about one case."""
    order, place = CASES[index]

    @check_prediction.stage(f"{order.capitalize()}: digit {place + 1} of the sum")
    def case(prediction: Callable[[], Any], rng: Rng) -> None:
        needed, said = digits_needed(order, place), prediction()[index]
        expect(said == needed, f"You said {said}. Tried on all sums, it takes {needed}. {why}")


_asks_case(0, "May the lowest digits decide, through a row of carries, how the sum begins?")
_asks_case(1, "Which digits make the lowest digit of a sum?")
_asks_case(2, "Its own two digits and a carry; and the place before tells whether there was one.")
