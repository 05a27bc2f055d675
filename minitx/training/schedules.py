"""Schedules: the factor of the learning rate, as a pure function of the step (0, 1, 2, ...).

They multiply, ``warm_up(100) * cosine(1000)``, and follow each other,
``warm_up(100).then(100, cosine(900))``: the second begins at 0 when the first has had 100 steps.
"""

import math
from collections.abc import Callable


class Schedule:
    """A function from the step to a factor; ``*`` and ``then`` make new ones of it."""

    def __init__(self, factor: Callable[[int], float]):
        self.factor = factor

    def __call__(self, step: int) -> float:
        if step < 0:
            raise ValueError(f"a schedule expected a step from 0, got {step}")
        return float(self.factor(step))

    def __mul__(self, other: "Schedule") -> "Schedule":
        return Schedule(lambda step: self(step) * other(step))

    def then(self, steps: int, following: "Schedule") -> "Schedule":
        """This one for ``steps`` steps, then ``following`` from its beginning."""
        return Schedule(lambda step: self(step) if step < steps else following(step - steps))


def constant(factor: float = 1.0) -> Schedule:
    """The same factor for ever."""
    return Schedule(lambda step: factor)


def warm_up(steps: int) -> Schedule:
    """1 / steps, 2 / steps, ... 1, and 1 from then on."""
    _expect_steps(steps)
    return Schedule(lambda step: min(1.0, (step + 1) / steps))


def linear(steps: int, end: float = 0.0) -> Schedule:
    """From 1 down to ``end`` in a straight line over ``steps`` steps, and ``end`` from then on."""
    _expect_steps(steps)
    return Schedule(lambda step: 1 + (end - 1) * min(1.0, step / steps))


def cosine(steps: int, end: float = 0.0) -> Schedule:
    """end + (1 - end) (1 + cos(pi step / steps)) / 2, and ``end`` after ``steps`` steps.

    Source: Loshchilov and Hutter, "SGDR" (2017), one period: T_i = steps, eta_min / eta_max = end.
    """
    _expect_steps(steps)
    half = (1 - end) / 2
    return Schedule(lambda step: end + half * (1 + math.cos(math.pi * min(1.0, step / steps))))


def step_decay(every: int, factor: float = 0.1) -> Schedule:
    """factor^(number of times that ``every`` steps have passed)."""
    _expect_steps(every)
    return Schedule(lambda step: factor ** (step // every))


def inverse_root(warm: int) -> Schedule:
    """Up in a straight line for ``warm`` steps, to 1; then sqrt(warm / (step + 1)).

    Source: Vaswani et al., "Attention Is All You Need" (2017): warmup_steps = warm; there 1 stands
    for (d_model warmup_steps)^-0.5.
    """
    _expect_steps(warm)
    return Schedule(lambda step: min((step + 1) / warm, math.sqrt(warm / (step + 1))))


def warm_up_cosine(warm: int, steps: int, end: float = 0.1) -> Schedule:
    """A warm-up of ``warm`` steps, then a cosine down to ``end`` at step ``steps``."""
    if not 0 < warm < steps:
        raise ValueError(f"expected 0 < warm < steps, got {warm} and {steps}")
    return warm_up(warm).then(warm, cosine(steps - warm, end))


def _expect_steps(steps: int) -> None:
    if not steps > 0:
        raise ValueError(f"a schedule expected a number of steps > 0, got {steps}")
