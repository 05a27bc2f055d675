"""One step of AdamW."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

check_adamw = Exercise(
    name="training/adamw",
    title="AdamW",
    call="adamw(w, g, m, v, t, lr, decay)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Six lines, and most transformers were trained by them.",
)

Rng = np.random.Generator
BETA1, BETA2, EPS, LR = 0.9, 0.999, 1e-8, 0.1


def step(
    w: float, g: float, m: float, v: float, t: int, decay: float
) -> tuple[float, float, float]:
    """The oracle: one number."""
    m = BETA1 * m + (1 - BETA1) * g
    v = BETA2 * v + (1 - BETA2) * g * g
    mean, square = m / (1 - BETA1**t), v / (1 - BETA2**t)
    return w - LR * decay * w - LR * mean / (math.sqrt(square) + EPS), m, v


def walk(w: np.ndarray, slopes: np.ndarray, decay: float = 0.0) -> np.ndarray:
    """The weights after steps with these gradients (steps, N), one number after the other."""
    out = []
    for i, number in enumerate(w):
        m = v = 0.0
        for t, g in enumerate(slopes[:, i], start=1):
            number, m, v = step(number, g, m, v, t, decay)
        out.append(number)
    return np.array(out)


def _slopes(rng: Rng, shape: Any) -> np.ndarray:
    """Gradients of both signs and so large that ε means nothing beside them."""
    return rng.choice([-1.0, 1.0], shape) * (5 + rng.random(shape))


def _asked(adamw: Callable[..., Any], *arguments: Any) -> list[np.ndarray]:
    got = adamw(*arguments)
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        "Your function should return three arrays: `return w, m, v`.",
    )
    names = ("the weights", "the mean m", "the mean square v")
    return [expect_array(a, (5,), what=name) for a, name in zip(got, names)]


def _walked(adamw: Callable[..., Any], w: np.ndarray, slopes: np.ndarray, decay: float) -> Any:
    m = v = np.zeros(5)
    for t, g in enumerate(slopes, start=1):
        w, m, v = _asked(adamw, w, g, m, v, t, LR, decay)
    return w


@check_adamw.stage("The first step moves every weight by the rate")
def first_step(adamw: Callable[..., Any], rng: Rng) -> None:
    w, g, zeros = rng.normal(size=5), _slopes(rng, 5), np.zeros(5)
    sign, uncorrected = np.sign(g), math.sqrt(1 - BETA2) * np.abs(g) + EPS
    mistakes = [
        (
            w - LR * (1 - BETA1) * g / uncorrected,
            "Three times too far: m and v begin at 0 and are too small, v more so. Divide them by "
            "1 - 0.9^t and 1 - 0.999^t.",
        ),
        (
            w - LR * g / (math.sqrt(1 - BETA2) * np.abs(g) / (1 - BETA2) + EPS),
            "The root was taken first: v is corrected, and then the root is taken.",
        ),
        (w + LR * sign, "That is uphill."),
        (w - LR * g, "That is SGD: divide by the root of the mean square."),
        (w - LR / g, "Divided by v': its root is meant."),
        (w - LR * np.abs(sign), "All weights go down: the mean keeps the gradient's sign."),
    ]
    got = _asked(adamw, w, g, zeros, zeros, 1, LR, 0.0)[0]
    expect(
        np.isfinite(got).all(),
        "The weights are not finite: t counts from 1, and 1 - 0.9^t is not 0 then.",
    )
    expect_close(got, walk(w, g[None]), "Here m' / sqrt(v') is the sign of g.", mistakes)


@check_adamw.stage("What is kept for the next step")
def kept(adamw: Callable[..., Any], rng: Rng) -> None:
    w, g, m, v = rng.normal(size=5), rng.normal(size=5), rng.normal(size=5), rng.random(5)
    _, mean, square = _asked(adamw, w, g, m, v, 3, LR, 0.0)
    right_m, right_v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g**2
    mistakes = [
        (right_m / (1 - BETA1**3), "The corrected m' is kept: keep m, correct a copy."),
        ((1 - BETA1) * m + BETA1 * g, "0.9 and 0.1 have changed places in m."),
        (BETA1 * m + g, "The new gradient enters m with 1 - 0.9, so that m is a mean."),
        (m, "The m that was given comes back: return the new one."),
        (right_v, "The two means have changed places: `return w, m, v`."),
    ]
    expect_close(mean, right_m, "0.9 m + 0.1 g should be kept.", mistakes)
    mistakes = [
        (right_v / (1 - BETA2**3), "The corrected v' is kept: keep v, correct a copy."),
        (BETA1 * v + (1 - BETA1) * g**2, "There is the 0.9 of m in v: its own is 0.999."),
        (BETA2 * v + (1 - BETA2) * g, "The second mean is one of squares: g**2."),
        (BETA2 * v + (1 - BETA2) * right_m**2, "The square of m went into v: that of g is meant."),
    ]
    expect_close(square, right_v, "0.999 v + 0.001 g**2 should be kept.", mistakes)


@check_adamw.stage("Seven steps", points=2)
def seven_steps(adamw: Callable[..., Any], rng: Rng) -> None:
    w, slopes = rng.normal(size=5), _slopes(rng, (7, 5))
    message = "One step is right, several are not: 0.9^t, with t the number of the step."
    expect_close(_walked(adamw, w, slopes, 0.0), walk(w, slopes), message)


@check_adamw.stage("Decay, apart from the gradient")
def decay(adamw: Callable[..., Any], rng: Rng) -> None:
    w, g, zeros = rng.normal(size=5) + 3, _slopes(rng, 5), np.zeros(5)
    moved = -LR * np.sign(g)
    mistakes = [
        (w + moved, "The decay has no effect."),
        (w * (1 - 0.4) + moved, "It decays by `decay`, and should by lr times decay."),
        ((w + moved) * (1 - LR * 0.4), "The step decays too: the old weights decay."),
        (w + moved - LR * 0.4, "It takes off lr times decay, and should take that share of w."),
        (w * (1 + LR * 0.4) + moved, "The weights grow instead of decaying."),
    ]
    got, m, _ = _asked(adamw, w, g, zeros, zeros, 1, LR, 0.4)
    coupled = "decay * w went into the gradient (that is L2 in Adam), where Adam divides it away."
    expect_close(m, (1 - BETA1) * g, f"The mean m has changed with the decay: {coupled}")
    want = walk(w, g[None], 0.4)
    expect_close(got, want, "First w (1 - lr decay), then Adam's step.", mistakes)


@check_adamw.stage("A gradient of 0, and one as small as ε")
def tiny(adamw: Callable[..., Any], rng: Rng) -> None:
    w, zeros = np.ones(5), np.zeros(5)
    still = _asked(adamw, w, zeros, zeros, zeros, 1, LR, 0.0)[0]
    expect(np.isfinite(still).all(), "0 / 0: add 1e-8 to the root of v'.")
    g = np.array([1.0, -1, 2, 0, 4]) * 1e-8
    inside = w - LR * g / np.sqrt(g**2 + EPS)
    early = w - LR * g / (np.abs(g) + EPS / math.sqrt(1 - BETA2))
    mistakes = [
        (inside, "Here ε stands under the root: it is added to the root."),
        (early, "The ε was added to the root of v, and belongs to that of v', the corrected one."),
        (w - LR * np.sign(g), "There is no ε, or not for every gradient."),
    ]
    got = _asked(adamw, w, g, zeros, zeros, 1, LR, 0.0)[0]
    expect_close(got, walk(w, g[None]), "The step is lr m' / (sqrt(v') + 1e-8).", mistakes)
