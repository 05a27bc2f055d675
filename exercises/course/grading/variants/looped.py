"""Page ``looped``."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from . import Again, Rng, as_the_solution, sizes


def descent(rng: Rng) -> tuple[Any, ...]:
    n, d, loops = sizes(rng, 3)
    x, step = rng.normal(size=(n + 1, d)), 0.2 * rng.normal(size=(d, d)) / d
    return x, np.append(x[:-1] @ rng.normal(size=d), 0), step, loops


def loop_loss(rng: Rng) -> tuple[Any, ...]:
    T, D, window, before = sizes(rng, 4)
    turned = np.linalg.qr(rng.normal(size=(D, D)))[0]  # so that no pass is like the one before
    x, target = rng.normal(size=(2, T, D))
    return lambda y: y @ turned, x, target, before + window, window


def _number(ask: Callable[..., None]) -> Callable[..., None]:
    """``ask`` for one that returns a number, Python's own or NumPy's."""

    def asks(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
        ask(lambda *arguments: np.float64(answer(*arguments)), solution, rng)

    return asks


PASSES = r"""
Two examples, $x = {}$ with $y = {}$ and $x = {}$ with $y = {}$, and the question
$x = {}$. The preconditioner is $A = \frac{{{}}}{{{}}}$. (a) The rests $r$ of the three tokens
(examples, question) after one pass? (b) The predictions after one pass and after two? (c) Newton's
iteration begins with $m = A$: what is $m$ after one pass?

Return three things: a list of the three rests, a list of the two predictions, and $m$. Write
fractions as `5 / 7`."""


def draw_passes(rng: Rng) -> tuple[int, ...]:
    """Two examples whose squares have a whole mean, and a step that goes a part of the way.

    No number is divided by 7, so that none is the fraction that the text writes.
    """
    a, b = [(1, 3), (2, 4), (1, 5), (3, 5), (2, 6), (1, 7)][rng.integers(6)]
    question = rng.choice([x for x in (1, 2, 3, 4, 6) if x not in (a, b)])
    step = Fraction(int(rng.integers(1, 4)), 4) / ((a * a + b * b) // 2)
    w = rng.choice([-8, -4, 4, 8])
    return a, b, int(w), int(question), step.numerator, step.denominator


def passes_text(a: int, b: int, w: int, question: int, over: int, under: int) -> str:
    return PASSES.format(a, w * a, b, w * b, question, over, under)


def passes(a: int, b: int, w: int, question: int, over: int, under: int) -> tuple[Any, ...]:
    step, square = Fraction(over, under), Fraction(a * a + b * b, 2)
    first = step * square * w
    second = first + step * square * (w - first)
    rests = [w * a - first * a, w * b - first * b, -first * question]
    m = 2 * step - step * square * step
    return list(map(float, rests)), [float(first * question), float(second * question)], float(m)


CONDITION = r"""
The matrix $S$ has eigenvalues from 1 down to 1/{0}. Both descent, $M \leftarrow M + (I - M S)$, and
Newton, $M \leftarrow 2 M - M S M$, begin with $M = I$. How many passes until the largest singular
value of $I - M S$ is at most $10^{{-{1}}}$?

Return two numbers. The first is for descent: count its beginning, $M = I$, as a pass, too (so after
pass $n$ the singular value is $(1 - 1/{0})^n$); for which $n$, not rounded, is it exactly
$10^{{-{1}}}$? Write an expression with `np.log`. The second is for Newton: a whole number, the
beginning not counted."""


def draw_condition(rng: Rng) -> tuple[int, int]:
    return int(rng.choice([20, 50, 200, 500, 1000, 2000])), int(rng.integers(2, 7))


def passes_needed(condition: int, digits: int) -> tuple[float, int]:
    descent = np.log(10.0**-digits) / np.log(1 - 1 / condition)
    return float(descent), int(np.ceil(np.log2(descent)))


BEST = r"""
Descent has {1} passes now, with a step $a_t$ of its own in each, and the eigenvalues $s$ lie
between {0:g} and 1. Which steps leave the least of the error, $|\prod_t (1 - a_t s)|$, at the worst
$s$? They are those for which the zeros of the product are Chebyshev's for this interval.

Return an array of the {1} steps, from the smallest to the largest, computed and not rounded."""


def draw_best(rng: Rng) -> tuple[float, int]:
    return float(rng.choice([0.05, 0.2, 0.25, 0.4])), int(rng.choice([2, 3, 5, 6]))


def best(low: float, count: int) -> np.ndarray:
    angles = np.pi * (np.arange(count) + 0.5) / count
    return 1 / ((1 + low) / 2 + (1 - low) / 2 * np.cos(angles))


VARIANTS = {
    "by_hand": Again(draw_passes, passes_text, passes, (1, 3, 4, 2, 3, 20)),
    "descent": as_the_solution(descent),
    "loop_loss": _number(as_the_solution(loop_loss)),
    "prediction": Again(draw_condition, CONDITION.format, passes_needed, (100, 3)),
    "steps": Again(draw_best, BEST.format, best, (0.1, 4)),
}
