"""All windows of a signal, without a copy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close

Rng = np.random.Generator

check_windows = Exercise(
    name="arrays/windows",
    title="Open: a thousand times the array, for nothing",
    call="windows(x, width)",
    kind="open",
    difficulty=3,
    minutes=20,
    insight="Both axes have the same stride, so one number stands in many places at once.",
)


def _loop(x: np.ndarray, width: int) -> np.ndarray:
    return np.array([x[t : t + width] for t in range(len(x) - width + 1)])


@check_windows.stage("Six numbers, windows of three")
def small(windows: Callable[..., Any], rng: Rng) -> None:
    x = np.arange(6.0) ** 2
    want = _loop(x, 3)
    got = expect_array(windows(x, 3))
    mistakes = [
        (want.T, "Rows and columns are swapped: row t is the window that begins at t."),
        (want[:-1], "The last window is missing: T numbers have T - width + 1 windows."),
        (x.reshape(2, 3), "These windows do not overlap: begin one at every number."),
    ]
    expect_close(got, want, "Row t should be x[t], x[t + 1], x[t + 2].", mistakes)


@check_windows.stage("An array that is itself a view")
def of_a_view(windows: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=40)[::3]
    message = "Here x is every third number of a longer array: take the stride from x.strides."
    expect_close(windows(x, 4), _loop(x, 4), message)


@check_windows.stage("No number is copied", points=2)
def shared(windows: Callable[..., Any], rng: Rng) -> None:
    x = rng.normal(size=50)
    message = "The numbers are right, and were copied: a view with two equal strides needs no room."
    expect(np.shares_memory(windows(x, 7), x), message)


@check_windows.stage("A million numbers, windows of a thousand")
def large(windows: Callable[..., Any], rng: Rng) -> str | None:
    x = rng.normal(size=1_000_000)
    got = windows(x, 1000)
    expect(
        np.shape(got) == (999_001, 1000), f"The shape should be (999001, 1000): {np.shape(got)}."
    )
    expect(
        not got.flags.writeable,
        "It works, and is a trap: writing one entry changes a thousand. Make the view read-only.",
    )
    return f"That looks like {got.nbytes / 2**30:.1f} GiB."
