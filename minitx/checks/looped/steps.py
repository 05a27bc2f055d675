"""Four steps of different sizes: what a stack may do, and a loop may not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

check_steps = Exercise(
    name="looped/steps",
    title="Open: four steps that differ",
    call="steps()",
    kind="open",
    difficulty=3,
    minutes=30,
    insight="This is what a stack of layers has over a loop of one: steps that make up for each "
    "other's faults.",
)

Rng = np.random.Generator
LOW, COUNT, ENOUGH = 0.1, 4, 0.2


def worst(sizes: np.ndarray) -> float:
    """The largest |prod_t (1 - a_t s)| over eigenvalues s from LOW to 1."""
    s = np.linspace(LOW, 1, 2001)
    return float(np.abs(np.prod(1 - np.outer(s, sizes), axis=1)).max())


@check_steps.stage("Four numbers")
def four(steps: Callable[[], Any], rng: Rng) -> None:
    sizes = expect_array(steps(), (COUNT,), lists=True, what="steps")
    expect(
        np.isfinite(sizes).all() and (sizes > 0).all(),
        "A step against the gradient is above 0.",
    )


@check_steps.stage("They converge for every eigenvalue")
def converges(steps: Callable[[], Any], rng: Rng) -> None:
    left = worst(expect_array(steps(), (COUNT,), lists=True))
    expect(
        left < 1,
        f"For some eigenvalue between 0.1 and 1 the error grows, by {left:.3g}. Large steps are "
        "allowed, but then others must be small enough to make up for them at s = 1.",
    )


@check_steps.stage("At most a fifth is left", points=3)
def enough(steps: Callable[[], Any], rng: Rng) -> str:
    sizes = expect_array(steps(), (COUNT,), lists=True)
    left = worst(sizes)
    alike = np.ptp(sizes) < 1e-6
    expect(
        not (alike and left > ENOUGH),
        f"Four equal steps leave {left:.3f} at the worst eigenvalue, and the best equal ones "
        "0.448: (9/11)^4. They must differ.",
    )
    expect(
        left <= ENOUGH,
        f"At the worst eigenvalue {left:.3f} is left, {ENOUGH} is asked for. Plot the product "
        "against s: where is its largest hump, and which 1/a_t would have a zero there?",
    )
    return f"You leave {left:.4f}; no four numbers leave less than 0.1449."
