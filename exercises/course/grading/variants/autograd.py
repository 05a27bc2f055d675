"""Page ``autograd``."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from minitx.checks.expect import expect

from . import Again, Rng, as_the_solution, sizes


def softmax_rule(rng: Rng) -> tuple[Any, ...]:
    B, V = sizes(rng, 2)
    return rng.normal(size=(B, V)), rng.dirichlet(np.ones(V), size=B)


def unbroadcast(rng: Rng) -> tuple[Any, ...]:
    a, b, c = sizes(rng, 3)
    shape = [(c,), (b, 1), (1, c), (a, 1, c), ()][rng.integers(5)]
    return rng.normal(size=(a, b, c)), shape


def reverse(rng: Rng) -> tuple[Any, ...]:
    """A graph at random: each node has the one before it as a parent, and any others."""
    (nodes,) = sizes(rng, 1, 4, 30)
    tape: list[list[tuple[int, float]]] = [[]]
    for i in range(1, nodes):
        parents = [i - 1, *map(int, rng.integers(0, i, rng.integers(0, 3)))]
        tape.append([(parent, float(rng.uniform(-2, 2))) for parent in parents])
    return (tape,)


def keep(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any states will do that keep the memory within the bound."""
    for steps in map(int, (*rng.integers(2, 50, 3) ** 2, *rng.integers(2, 3000, 3))):
        got = list(answer(steps))
        told = f"With {steps} steps"
        form = all(isinstance(i, int | np.integer) for i in got) and got[:1] == [0]
        expect(form and got == sorted(set(got)), f"{told}: expected rising whole numbers from 0.")
        expect(got[-1] < steps, f"{told}: the last state to keep is {steps - 1}, got {got[-1]}.")
        held = len(got) + int(np.diff([*got, steps]).max())
        expect(held <= 2 * math.sqrt(steps) + 1, f"{told}: {held} states are held at once.")


SWEEPS = r"""With a pencil:

$$p = x y, \qquad s = p + z, \qquad f = s x, \qquad\text{{at }} x = {}, y = {}, z = {}.$$

Work out the values of $p, s, f$; then their tangents, when the inputs move in the direction
$(\dot x, \dot y, \dot z) = ({}, {}, {})$; then the gradient $(\bar x, \bar y, \bar z)$ of $f$.

Return three lists of three numbers: values, tangents, gradient."""


def draw_sweeps(rng: Rng) -> tuple[int, ...]:
    """Where, and in which direction: small numbers, and no factor that hides a mistake."""
    at = rng.choice([-4, -3, -2, 2, 3, 4, 5], 3, replace=False)
    return tuple(int(n) for n in (*at, *rng.choice([-2, -1, 0, 1, 2, 3], 3, replace=False)))


def sweeps(x: int, y: int, z: int, dx: int, dy: int, dz: int) -> list[list[int]]:
    s, ds = x * y + z, dx * y + x * dy + dz
    tangents = [ds - dz, ds, ds * x + s * dx]
    return [[x * y, s, s * x], tangents, [s + x * y, x * x, x]]


DIFFERENCE = r"""The derivative of order {order} can be had from a few values of a function:

$$f^{{({order})}}(x) \approx {formula} .$$

Taylor's series says that this is wrong by about $h^{power}$. On a machine that computes with
{digits} digits, rounding makes each value of $f$ wrong by about $10^{{-{digits}}}$. Which power of
ten is the best step $h$, where the two errors meet, and which power of ten is the error there?

Return the two exponents, first that of the step: `-5, -9` would be $10^{{-5}}$ and $10^{{-9}}$."""

FORMULAS = {  # (order of the derivative, power of h in the error)
    (1, 1): r"\frac{f(x + h) - f(x)}{h}",
    (1, 2): r"\frac{f(x + h) - f(x - h)}{2 h}",
    (2, 2): r"\frac{f(x + h) - 2 f(x) + f(x - h)}{h^2}",
    (3, 2): r"\frac{f(x + 2h) - 2 f(x + h) + 2 f(x - h) - f(x - 2h)}{2 h^3}",
    (1, 4): r"\frac{f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)}{12 h}",
    (2, 4): r"\frac{-f(x - 2h) + 16 f(x - h) - 30 f(x) + 16 f(x + h) - f(x + 2h)}{12 h^2}",
}


def draw_difference(rng: Rng) -> tuple[int, int, int]:
    """A formula, and digits for which the best step is a whole power of ten.

    The other exponent is 1, 2 or 4 times as large: never -9 beside -5, as the text has it.
    """
    order, power = list(FORMULAS)[rng.integers(len(FORMULAS))]
    step = rng.integers(math.ceil(7 / (order + power)), 36 // (order + power) + 1)
    return order, power, int((order + power) * step)


def difference_text(order: int, power: int, digits: int) -> str:
    formula = FORMULAS[order, power]
    return DIFFERENCE.format(order=order, power=power, digits=digits, formula=formula)


def difference(order: int, power: int, digits: int) -> tuple[int, int]:
    """Where the errors h^power and 10^-digits / h^order meet."""
    step = Fraction(-digits, order + power)
    return int(step), int(power * step)


VARIANTS = {
    "by_hand": Again(draw_sweeps, SWEEPS.format, sweeps, (2, 3, -1, 1, 0, 2)),
    "softmax_rule": as_the_solution(softmax_rule),
    "unbroadcast": as_the_solution(unbroadcast),
    "reverse": as_the_solution(reverse),
    "difference": Again(draw_difference, difference_text, difference, (2, 2, 16)),
    "keep": keep,
}
