"""Page ``arrays``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array

from . import Again, Rng, as_the_solution, sizes


def distances(rng: Rng) -> tuple[Any, ...]:
    N, M, D = sizes(rng, 3)
    return rng.normal(size=(N, D)), rng.normal(size=(M, D))


def windows(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """The solution's numbers, and not one of them copied."""
    for _ in range(3):
        width, more, step = sizes(rng, 3)
        x = rng.normal(size=step * (width + more))[::step]
        told, want = f"For {len(x)} numbers and a width of {width}", solution(x, width)
        got = expect_array(answer(x, width), want.shape)
        expect(np.array_equal(got, want), f"{told} some window is not right.")
        read_only = np.shares_memory(got, x) and not got.flags.writeable
        expect(read_only, f"{told} it is no view that can only be read.")


def variance(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """To three digits, as the exercise asks: the last ones are a matter of the order of a sum."""
    for middle in (0, -1e4, 1e4):
        B, T, n = sizes(rng, 3)
        x = (middle + rng.normal(size=(B, T, 100 * n))).astype(np.float32)
        got, want = expect_array(answer(x), x.shape[:-1]), np.var(x.astype(np.float64), axis=-1)
        right = np.allclose(got, want, rtol=1e-3, atol=0)
        expect(right, f"For {x.shape} numbers around {middle:g} a variance is not right.")
        expect(got.dtype == np.float32, f"float32 went in, and {got.dtype} came out.")


STRIDES = """\
Let `x` be an array of shape `{shape}` whose numbers lie in memory row after row. With a
pencil: what are the three strides, counted in entries and not in bytes, of

1. `x`
2. `{swapped}`
3. `{sliced}`
4. `{copied}`

Return four lists of three strides."""


def draw_strides(rng: Rng) -> tuple[Any, ...]:
    """A shape; which axes are swapped; which is sliced, in which steps; which is copied."""
    swapped = [(0, 1), (0, 2), (1, 2)][rng.integers(3)]
    shape = tuple(int(n) for n in rng.permutation(np.arange(4, 8))[:3])
    return shape, swapped, int(rng.integers(2)), int(rng.integers(2, 4)), int(rng.integers(3))


def _cuts(axis: int, step: int, copied: int) -> tuple[list[str], list[str]]:
    """What stands in the brackets of the slice and of what is copied."""
    sliced, one = [":", ":", "1:"], [":", ":", ":"]
    sliced[axis], one[copied] = f"::{step}", ":1"
    return sliced, one[: copied + 1]


def strides_text(shape: Any, swapped: Any, axis: int, step: int, copied: int) -> str:
    sliced, one = (", ".join(cut) for cut in _cuts(axis, step, copied))
    wide = tuple(2 * n if i == copied else n for i, n in enumerate(shape))
    return STRIDES.format(
        shape=shape,
        swapped=f"x.swapaxes{swapped}",
        sliced=f"x[{sliced}]",
        copied=f"np.broadcast_to(x[{one}], {wide})",
    )


def strides(shape: Any, swapped: Any, axis: int, step: int, copied: int) -> list[list[int]]:
    x = np.zeros(shape, np.int8)  # an entry is a byte
    sliced, one = [slice(None), slice(None), slice(1, None)], [slice(None)] * 3
    sliced[axis], one[copied] = slice(None, None, step), slice(1)
    wide = [2 * n if i == copied else n for i, n in enumerate(shape)]
    views = (x, x.swapaxes(*swapped), x[tuple(sliced)], np.broadcast_to(x[tuple(one)], wide))
    return [list(view.strides) for view in views]


Case = tuple[str, Callable[[np.ndarray], np.ndarray]]


def cases(a: int, b: int, c: int) -> list[Case]:
    """What can be done to an array of shape (a, b, c); the first six are the book's."""
    return [
        ("x.T", lambda x: x.T),
        ("x[1:, ::-1]", lambda x: x[1:, ::-1]),
        (f"x.reshape({a * b}, {c})", lambda x: x.reshape(a * b, c)),
        (
            f"x.swapaxes(1, 2).reshape({a}, {b * c})",
            lambda x: x.swapaxes(1, 2).reshape(a, b * c),
        ),
        ("x[[0, 1]]", lambda x: x[[0, 1]]),
        ("x[x > 0]", lambda x: x[x > 0]),
        (f"x.reshape({a}, {b * c})", lambda x: x.reshape(a, b * c)),
        (
            f"x.swapaxes(0, 1).reshape({a * b}, {c})",
            lambda x: x.swapaxes(0, 1).reshape(a * b, c),
        ),
        (f"x[:, 1:].reshape({a}, {b * c - c})", lambda x: x[:, 1:].reshape(a, b * c - c)),
        (f"x[:, 1:].reshape({a * b - a}, {c})", lambda x: x[:, 1:].reshape(a * b - a, c)),
        (f"x[:, :1].reshape({a}, {c})", lambda x: x[:, :1].reshape(a, c)),
        ("x[:, None, ::-2]", lambda x: x[:, None, ::-2]),
        (f"x.T.reshape({a * b * c})", lambda x: x.T.reshape(a * b * c)),
        ("x[:, [0]]", lambda x: x[:, [0]]),
        ("x + 0", lambda x: x + 0),
        (f"np.broadcast_to(x, (2, {a}, {b}, {c}))", lambda x: np.broadcast_to(x, (2, a, b, c))),
        ("x.T[0]", lambda x: x.T[0]),
        ("np.concatenate([x, x])", lambda x: np.concatenate([x, x])),
    ]


def draw_views(rng: Rng) -> tuple[Any, ...]:
    """A shape, and six of the cases."""
    shape = tuple(int(n) for n in rng.permutation(np.arange(3, 7))[:3])
    return shape, [int(i) for i in rng.permutation(len(cases(*shape)))[:6]]


def views_text(shape: Any, chosen: list[int]) -> str:
    listed = "\n".join(f"{n}. `{cases(*shape)[i][0]}`" for n, i in enumerate(chosen, start=1))
    return (
        f'`x` has the shape `{shape}`. Is each of these a `"view"`, which shares the memory of '
        f'`x`, or a `"copy"`?\n\n{listed}\n\nReturn six words.'
    )


def views(shape: Any, chosen: list[int]) -> list[str]:
    x = np.arange(np.prod(shape)).reshape(shape)
    made = [cases(*shape)[i][1](x) for i in chosen]
    return ["view" if np.shares_memory(x, each) else "copy" for each in made]


VARIANTS = {
    "by_hand": Again(draw_strides, strides_text, strides, ((2, 3, 4), (1, 2), 1, 2, 1)),
    "distances": as_the_solution(distances),
    "variance": variance,
    "prediction": Again(draw_views, views_text, views, ((2, 3, 4), [0, 1, 2, 3, 4, 5])),
    "windows": windows,
}
