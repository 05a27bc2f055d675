"""Rotary positions: pairs of numbers turned by an angle that grows with the place."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close, same

check_rotary = Exercise(
    name="positions/rotary",
    title="Rotary positions",
    call="rotary(x, places)",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="Turns by place on both sides, and their product knows the distance alone.",
)

Rng = np.random.Generator
DEGREES = "The angle is in degrees: sin and cos take radians."
BACKWARDS = "It turns backwards: (a, b) -> (a cos - b sin, a sin + b cos)."


def turned(x: np.ndarray, places: np.ndarray, speed: Callable[[int, int], float]) -> np.ndarray:
    """The oracle: token by token and pair by pair, turned by place times ``speed(i, d)``."""
    d = x.shape[-1]
    out = np.zeros_like(x)
    for *lead, t in np.ndindex(x.shape[:-1]):
        for i in range(d // 2):
            a, b = x[*lead, t, i], x[*lead, t, i + d // 2]
            angle = places[t] * speed(i, d)
            out[*lead, t, i] = a * math.cos(angle) - b * math.sin(angle)
            out[*lead, t, i + d // 2] = a * math.sin(angle) + b * math.cos(angle)
    return out


def usual(i: int, d: int) -> float:
    """The speed of pair i, in radians a place."""
    return 10000.0 ** (-2 * i / d)


def _interleaved(x: np.ndarray) -> np.ndarray:
    """(0, 1), (2, 3), ... as the pairs (i, i + d/2)."""
    return np.concatenate([x[..., 0::2], x[..., 1::2]], axis=-1)


def _neighbours(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    out, d = np.zeros_like(x), x.shape[-1]
    y = turned(_interleaved(x), places, usual)
    out[..., 0::2], out[..., 1::2] = y[..., : d // 2], y[..., d // 2 :]
    return out


@check_rotary.stage("At place 0 nothing turns")
def at_zero(rotary: Callable[..., Any], rng: Rng) -> None:
    x, zeros = rng.normal(size=(3, 4)), np.zeros(3)
    counted = turned(x, np.arange(3), usual)
    cause = "The rows were counted 0, 1, 2; `places` says where they are, here all at 0."
    swapped = np.concatenate([-x[:, 2:], x[:, :2]], axis=1)
    mistakes = [
        (counted, cause),
        (swapped, "Sine and cosine have changed places: the angle 0 must leave a pair as it is."),
    ]
    expect_close(rotary(x, zeros), x, "An angle of 0 must change nothing.", mistakes)


@check_rotary.stage("One pair turns by one radian a place")
def one_pair(rotary: Callable[..., Any], rng: Rng) -> None:
    x, places = rng.normal(size=(4, 2)), np.array([0.0, 1.0, 5.0, 2.0])
    mistakes = [
        (
            turned(x, -places, usual),
            BACKWARDS,
        ),
        (
            turned(x, np.radians(places), usual),
            DEGREES,
        ),
        (
            turned(x, np.degrees(places), usual),
            DEGREES,
        ),
        (
            turned(x, np.arange(4), usual),
            "The rows were counted 0, 1, 2, ...; `places` says where they are.",
        ),
        (x, "Nothing turns: does the place enter the angle?"),
    ]
    got = expect_array(rotary(x, places), (4, 2))
    mirrored = np.stack(
        [
            x[:, 0] * np.cos(places) + x[:, 1] * np.sin(places),
            x[:, 0] * np.sin(places) + x[:, 1] * np.cos(places),
        ],
        axis=1,
    )
    mistakes.append(
        (mirrored, "Both halves have a plus: one of them needs a minus, or it is no turn.")
    )
    expect_close(got, turned(x, places, usual), "A pair turned the wrong way.", mistakes)


@check_rotary.stage(
    "Each pair at its own speed, as a loop says",
    points=2,
    hint="Here x is (4, 6) and places (4,): three pairs, so the angles are (4, 3).",
)
def own_speeds(rotary: Callable[..., Any], rng: Rng) -> None:
    x, places = rng.normal(size=(4, 6)), np.array([3.0, 0.0, 41.0, 7.0])
    speeds = [
        (lambda i, d: 1.0, "All pairs turn alike: pair i turns by 10000^(-2i/d) a place."),
        (
            lambda i, d: 10000.0 ** (-i / d),
            "The speed of pair i is 10000^(-2i/d), and yours 10000^(-i/d): the slowest pairs turn "
            "too fast.",
        ),
        (
            lambda i, d: 10000.0 ** (2 * i / d),
            "The exponent's sign: later pairs turn slower, 10000^(-2i/d).",
        ),
        (
            lambda i, d: 10000.0 ** (-2 * (i + 1) / d),
            "Pairs are counted from 1: the first pair turns by 1 radian a place.",
        ),
    ]
    mistakes = [(turned(x, places, speed), cause) for speed, cause in speeds]
    pairs = "The pairs are neighbours (0, 1), (2, 3), ...: here number i goes with number i + d/2."
    mistakes.append((_neighbours(x, places), pairs))
    want = turned(x, places, usual)
    expect_close(rotary(x, places), want, "It differs from the loop over pairs.", mistakes)


@check_rotary.stage(
    "Heads in front, and places that are far away or no whole numbers",
    hint="Here x is (2, 3, 4, 6): the angles (4, 3) broadcast; cut the last axis, x[..., :3].",
)
def axes_in_front(rotary: Callable[..., Any], rng: Rng) -> str:
    x, places = rng.normal(size=(2, 3, 4, 6)), np.array([0.5, 12345.0, -2.25, 8.0])
    whole = turned(x, np.trunc(places), usual)
    mistakes = [(whole, "Places lost their fractions: keep them as they are, 0.5 is a place too.")]
    want = turned(x, places, usual)
    got = rotary(x, places)
    expect_close(
        got, want, "One sequence is right, several at once are not: mind the axes.", mistakes
    )
    q, k = rng.normal(size=(2, 1, 6))
    near = rotary(q, np.array([9.0])) @ rotary(k, np.array([4.0])).T
    far = rotary(q, np.array([1009.0])) @ rotary(k, np.array([1004.0])).T
    return "Places 9 and 4 give the product of 1009 and 1004." if same(near, far) else ""
