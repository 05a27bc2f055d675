"""One pass over the data: a loop of steps, each with the gradient of one batch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_epoch = Exercise(
    name="training/epoch",
    title="One pass over the data",
    call="epoch(w, x, y, batches, lr)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="Take rows, take the slope, step, forget: every training loop is these four.",
)

Rng = np.random.Generator
LR = 0.3


def slope(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient of mean((x w - y)^2) / 2, a row at a time."""
    total = np.zeros_like(w)
    for row, target in zip(x, y):
        total = total + (sum(row * w) - target) * row
    return total / len(x)


def walked(w: np.ndarray, slopes: list[Callable[[np.ndarray], np.ndarray]]) -> np.ndarray:
    """The weights after a step along each slope, where they then are."""
    for one in slopes:
        w = w - LR * one(w)
    return w


def right(w: np.ndarray, x: np.ndarray, y: np.ndarray, batches: list[np.ndarray]) -> np.ndarray:
    """The oracle."""
    return walked(w, [lambda w, rows=rows: slope(w, x[rows], y[rows]) for rows in batches])


def _data(rng: Rng, rows: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=3), rng.normal(size=(rows, 3)), rng.normal(size=rows)


@check_epoch.stage(
    "One batch of everything: one step",
    hint="Errors are (n,) and rows (n, D): `error @ x[rows]` adds up the rows.",
)
def one_step(epoch: Callable[..., Any], rng: Rng) -> None:
    w, x, y = _data(rng)
    g = slope(w, x, y)
    mistakes = [
        (w + LR * g, "That is uphill: subtract the gradient."),
        (w - LR * 6 * g, "The gradients of the rows were added: take their mean."),
        (w - LR * 2 * g, "Twice too far: the loss is half the mean square."),
        (w - LR * slope(w, x, 0 * y), "The targets are missing: the error is x w - y."),
        (w - LR * (x @ w - y).mean(), "The mean error, without x: the slope is error times row."),
        (w - LR * ((x @ w - y)[:, None] * x).mean(), "One mean for all weights: each has its own."),
        (w, "The weights have not moved."),
    ]
    message = "It differs from the gradient that a loop over the rows adds up."
    expect_close(epoch(w, x, y, [np.arange(6)], LR), w - LR * g, message, mistakes)


@check_epoch.stage("Three batches: three steps, each from where the last one ended", points=2)
def three_steps(epoch: Callable[..., Any], rng: Rng) -> None:
    w, x, y = _data(rng)
    rows = np.arange(6)
    start, one, two = w, right(w, x, y, [rows]), right(w, x, y, [rows] * 2)
    g = slope(start, x, y)
    kept = start - LR * g  # the gradient of the step before is added to that of this one
    kept = kept - LR * (g + slope(kept, x, y))
    third = LR * (g + slope(start - LR * g, x, y) + slope(kept, x, y))
    mistakes = [
        (start - 3 * LR * g, "All steps use the slope at the first weights: take it anew."),
        (kept - third, "The gradients pile up from step to step: each step begins with none."),
        (one, "There was one step for three batches: is the `return` inside the loop?"),
        (two, "There were two steps for three batches."),
    ]
    message = "The first step is right, the others are not."
    expect_close(epoch(w, x, y, [rows] * 3, LR), right(w, x, y, [rows] * 3), message, mistakes)


@check_epoch.stage("Batches in any order: every row keeps its target")
def any_order(epoch: Callable[..., Any], rng: Rng) -> None:
    w, x, y = _data(rng)
    batches = [np.array([4, 1, 3]), np.array([5, 0, 2])]

    def with_targets(pick: Callable[[int, np.ndarray], Any]) -> np.ndarray:
        pairs = [(rows, pick(i, rows)) for i, rows in enumerate(batches)]
        return walked(w, [lambda w, r=r, t=t: slope(w, x[r], y[t]) for r, t in pairs])

    in_turn = [lambda w, i=i: slope(w, x[3 * i : 3 * i + 3], y[3 * i : 3 * i + 3]) for i in (0, 1)]
    mistakes = [
        (with_targets(lambda i, rows: np.arange(3)), "Rows are picked, targets are not: y[rows]."),
        (with_targets(lambda i, rows: np.arange(3) + 3 * i), "Targets go on in their old order."),
        (with_targets(lambda i, rows: np.sort(rows)), "Rows and targets are in different orders."),
        (walked(w, in_turn), "The numbers in `batches` are not used: they say which rows."),
        (right(w, x, y, [np.arange(6)] * 2), "Every step uses all rows: only those of its batch."),
    ]
    message = "Right for batches in order, not for shuffled ones."
    expect_close(epoch(w, x, y, batches, LR), right(w, x, y, batches), message, mistakes)


@check_epoch.stage("The last batch may be shorter")
def a_rest(epoch: Callable[..., Any], rng: Rng) -> None:
    w, x, y = _data(rng, 5)
    batches = [np.array([4, 1, 3]), np.array([0, 2])]
    short = right(w, x, y, batches[:1])
    small = short - LR * slope(short, x[batches[1]], y[batches[1]]) * 2 / 3
    mistakes = [
        (short, "The short batch was left out: it is one of the batches."),
        (small, "The short batch was divided by the size of the first."),
    ]
    message = "Wrong where the last batch is short."
    expect_close(epoch(w, x, y, batches, LR), right(w, x, y, batches), message, mistakes)
