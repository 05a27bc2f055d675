"""Two loss curves go in, the name of what is wrong with the run comes out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

check_diagnose = Exercise(
    name="training/diagnose",
    title="Open: a doctor for loss curves",
    call="diagnose(train, held_out)",
    kind="open",
    difficulty=3,
    minutes=40,
    insight="Two curves tell a lot, but not all: ask them first, then read the code.",
)

Rng = np.random.Generator
KINDS = ("healthy", "too small", "too large", "not cleared", "too few", "shuffled")
RATES = {"too small": (2e-4, 8e-4), "too large": (1.7, 2.2), "not cleared": (0.008, 0.02)}
D, STEPS, BATCH = 20, 240, 60


def run(kind: str, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """The losses (240,) of a linear model on its batches and on held-out data, with one bug.

    "too few" has 12 rows to learn 20 weights from, "shuffled" has targets in another order than
    inputs, "not cleared" adds each gradient to all before it; "too small" and "too large" are
    about the rate.
    """
    truth = rng.normal(size=D) / np.sqrt(D)

    def draw(rows: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(rows, D))
        return x, x @ truth + 0.1 * rng.normal(size=rows)

    (x, y), held = draw(12 if kind == "too few" else 300), draw(500)
    if kind == "shuffled":
        y = rng.permutation(y)
    lr, w, g, losses = rng.uniform(*RATES.get(kind, (0.04, 0.08))), np.zeros(D), 0.0, []
    for _ in range(STEPS):
        rows = rng.choice(len(x), min(BATCH, len(x)), replace=False)
        error = x[rows] @ w - y[rows]
        losses.append(((error**2).mean() / 2, ((held[0] @ w - held[1]) ** 2).mean() / 2))
        slope = error @ x[rows] / len(rows)
        g = g + slope if kind == "not cleared" else slope
        w = w - lr * g
    train, held_out = np.array(losses).T
    return train, held_out


def _asks_kind(kind: str, look: str, runs: int = 5) -> None:
    """Adds the question about one kind of run."""

    @check_diagnose.stage(f"{runs} runs that are {kind!r}")
    def of_one_kind(diagnose: Callable[..., Any], rng: Rng) -> None:
        for number in range(runs):
            train, held = run(kind, rng)
            said = diagnose(train.copy(), held.copy())
            known = isinstance(said, str) and said in KINDS
            got = f"the string {said!r:.40}" if isinstance(said, str) else describe(said)
            listed = ", ".join(f'"{name}"' for name in KINDS)
            expect(known, f"Your function should return one of {listed}; it returned {got}.")
            curve = " ".join(f"{value:.2g}" for value in held[::60]) + f" {held[-1]:.2g}"
            expect(
                said == kind,
                f"You said {said!r} of run {number + 1}, whose held-out loss goes {curve} and "
                f"whose last batches have {train[-10:].mean():.2g}. {look}",
            )


_asks_kind("healthy", "Both curves fall to nearly 0, and lie on each other.")
_asks_kind("too small", "Both still fall, as slowly as at the start.")
_asks_kind("too large", "It ends above where it began, by orders of magnitude.")
_asks_kind("not cleared", "It falls and rises again and again: no friction.")
_asks_kind("too few", "The batches are learned, the held-out data are not.")
_asks_kind("shuffled", "Nothing can be learned: the held-out loss ends where it began, or above.")
