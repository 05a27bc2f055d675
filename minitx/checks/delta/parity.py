"""A memory of one number that tells odd from even."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.delta.oracle import Rng, answers
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

check_parity = Exercise(
    name="delta/parity",
    title="Open: odd or even",
    call="parity(bits)",
    kind="open",
    difficulty=3,
    minutes=30,
    insight="With beta = 2 a write is a mirror. A memory that only fades or adds cannot do that.",
)


def _program(parity: Callable[..., Any], bits: np.ndarray) -> tuple[np.ndarray, ...]:
    got = parity(bits)
    expect(
        isinstance(got, tuple | list) and len(got) == 4,
        "Your function should return four arrays: `return q, k, v, beta`.",
    )
    q, k, v, beta = (
        expect_array(part, what=name) for part, name in zip(got, ("q", "k", "v", "beta"))
    )
    T = len(bits)
    fits = (
        q.ndim == k.ndim == v.ndim == 2
        and q.shape == k.shape
        and len(q) == len(v) == T
        and v.shape[1] == 1
        and beta.shape == (T,)
    )
    expect(
        fits,
        f"For {T} bits, q and k should be ({T}, m), v ({T}, 1) and beta ({T},); they are "
        f"{q.shape}, {k.shape}, {v.shape} and {beta.shape}.",
    )
    steps = beta * (k**2).sum(axis=1)
    expect(
        steps.min() >= 0 and steps.max() <= 2 + 1e-9,
        "beta |k|^2 should be between 0 and 2, or a state may grow without end; here it is between "
        f"{steps.min():.3g} and {steps.max():.3g}.",
    )
    return q, k, v, beta


def _said(parity: Callable[..., Any], bits: np.ndarray) -> np.ndarray:
    return answers(*_program(parity, bits))[:, 0]


def _right(bits: np.ndarray) -> np.ndarray:
    return np.where(np.cumsum(bits) % 2, -1.0, 1.0)


@check_parity.stage("Each token's own bit is all that its numbers know")
def by_itself(parity: Callable[..., Any], rng: Rng) -> None:
    bits = rng.integers(2, size=12)
    other = bits.copy()
    other[3] = 1 - bits[3]
    pairs = zip(_program(parity, bits), _program(parity, other), strict=True)
    same = all(np.allclose(np.delete(a, 3, 0), np.delete(b, 3, 0)) for a, b in pairs)
    expect(
        same,
        "The numbers of a token change with the bits of others: they may depend on its own bit and "
        "on whether it is the first. Counting is the memory's work.",
    )


@check_parity.stage("The first bit")
def first(parity: Callable[..., Any], rng: Rng) -> None:
    for bit in (0, 1):
        found = float(_said(parity, np.array([bit]))[0])
        expect(
            abs(found - _right(np.array([bit]))[0]) < 1e-6,
            f"After the single bit {bit} the answer should be {1 - 2 * bit}, and is {found:.3g}: "
            "the memory is empty at first, so that the first token has to write.",
        )


@check_parity.stage("Forty bits", points=3)
def forty(parity: Callable[..., Any], rng: Rng) -> str:
    bits = rng.integers(2, size=40)
    found, want = _said(parity, bits), _right(bits)
    expect(
        not np.allclose(found, np.where(bits, -1, 1)),
        "Each answer is about the last bit alone: a 0 should leave the memory as it is (beta = 0).",
    )
    wrong = np.flatnonzero(np.abs(found - want) > 1e-6)
    if len(wrong):
        t = int(wrong[0])
        expect(
            False,
            f"After {t + 1} bits, {int(bits[: t + 1].sum())} of them 1, the answer should be "
            f"{want[t]:g}, and is {found[t]:.3g}.",
        )
    return f"(Keys of width {_program(parity, bits)[1].shape[1]}; 1 is enough.)"
