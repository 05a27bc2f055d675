"""Both sweeps over f = (x y + z) x, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_by_hand = Exercise(
    name="autograd/by_hand",
    title="Both sweeps with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="Tangents and gradient agree: 11·1 + 4·0 + 2·2 = 15. A page of checks is made of that.",
)

X, Y, Z = 2.0, 3.0, -1.0
DX, DY, DZ = 1.0, 0.0, 2.0


def _three(by_hand: Callable[[], Any], which: int) -> np.ndarray:
    got = by_hand()
    expect(
        isinstance(got, tuple | list) and len(got) == 3 and all(np.ndim(one) == 1 for one in got),
        "Your function should return three lists of three numbers: values, tangents, gradient.",
    )
    name = ("the values", "the tangents", "the gradient")[which]
    return expect_array(got[which], (3,), lists=True, what=name)


@check_by_hand.stage("The values p, s and f")
def values(by_hand: Callable[[], Any], rng: Rng) -> None:
    p = X * Y
    mistakes = [
        ([p, p * Z, p * Z * X], "The second step is a sum: z is added to p, not multiplied."),
        ([p, p + Z, p + Z], "The last step is s times x: the multiplication is missing."),
    ]
    want = [p, p + Z, (p + Z) * X]
    expect_close(_three(by_hand, 0), want, "Not the values of p, s and f.", mistakes)


@check_by_hand.stage("The tangents of p, s and f along (1, 0, 2)", points=2)
def tangents(by_hand: Callable[[], Any], rng: Rng) -> None:
    p, s = X * Y, X * Y + Z
    dp = DX * Y + X * DY
    ds = dp + DZ
    mistakes = [
        (
            [dp, ds, ds * X],
            "The last step is s times x, and both move: the product rule has two terms.",
        ),
        ([dp, dp, dp * X + s * DX], "Also z moves, by 2: its tangent is added to that of p."),
        ([dp, ds, ds * DX], "The tangent of a product is not the product of the tangents."),
        ([p, s, s * X], "These are the values again: the tangents say how fast each one moves."),
    ]
    want = [dp, ds, ds * X + s * DX]
    expect_close(_three(by_hand, 1), want, "Not the tangents of p, s and f.", mistakes)


@check_by_hand.stage("The gradient with respect to x, y and z", points=2)
def gradient(by_hand: Callable[[], Any], rng: Rng) -> None:
    s, p_bar = X * Y + Z, X
    y_bar, z_bar = p_bar * X, X
    mistakes = [
        (
            [p_bar * Y, y_bar, z_bar],
            "There are two ways from x to f, and only the one through p is here.",
        ),
        ([s, y_bar, z_bar], "There are two ways from x to f, and only the last product is here."),
        ([s + Y, X, 1], "The cotangents of p and s are not 1: f is s times x, so they are x."),
    ]
    want = [s + p_bar * Y, y_bar, z_bar]
    expect_close(_three(by_hand, 2), want, "Not the derivatives of f by x, y, z.", mistakes)
