"""Strides of four views of one array, with a pencil."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect

Rng = np.random.Generator

check_by_hand = Exercise(
    name="arrays/by_hand",
    title="Strides with a pencil",
    call="by_hand()",
    kind="by hand",
    difficulty=1,
    minutes=10,
    insight="Four arrays, and not one number was moved: a view is a way to count.",
)

X = np.zeros((2, 3, 4))
VIEWS = (
    ("x", X),
    ("x.swapaxes(1, 2)", X.swapaxes(1, 2)),
    ("x[:, ::2, 1:]", X[:, ::2, 1:]),
    ("np.broadcast_to(x[:, :1], (2, 6, 4))", np.broadcast_to(X[:, :1], (2, 6, 4))),
)


def _asks(index: int, mistakes: dict[tuple[int, ...], str]) -> None:
    """Adds the question about one view."""
    text, view = VIEWS[index]

    @check_by_hand.stage(f"The strides of {text}")
    def strides(by_hand: Callable[[], Any], rng: Rng) -> None:
        got = by_hand()
        whole = isinstance(got, tuple | list | np.ndarray) and len(got) == 4
        whole = whole and all(np.shape(one) == (3,) for one in got)
        expect(whole, "Your function should return four lists of three whole numbers each.")
        said, want = (
            tuple(np.asarray(got[index]).tolist()),
            tuple(step // 8 for step in view.strides),
        )
        expect(said not in mistakes, mistakes.get(said, ""))
        wrong = [axis for axis in range(3) if said[axis] != want[axis]]
        expect(
            not wrong,
            f"For {text}, one step along axis {wrong[0] if wrong else 0} does not pass "
            f"{said[wrong[0]] if wrong else 0} entries of the list of 24 numbers.",
        )


_asks(
    0,
    {
        (96, 32, 8): "These are bytes, as NumPy gives them: here they are asked for in entries.",
        (2, 3, 4): "That is the shape: a stride says how far it is to the next entry of an axis.",
        (1, 2, 6): "The last axis runs fastest, not the first: its neighbours are 1 apart.",
    },
)
_asks(1, {(12, 4, 1): "The strides did not swap, but the axes did, and each takes its own along."})
_asks(
    2,
    {
        (12, 4, 1): "Every second row was left out, so the next row is twice as far away.",
        (6, 6, 1): "The numbers are where they were: nothing moved closer together.",
        (12, 8, 2): "Where a slice begins changes no stride: axis 2 goes on in steps of 1.",
    },
)
_asks(3, {(12, 4, 1): "Axis 1 shows the same row six times: how far is it from a row to itself?"})
