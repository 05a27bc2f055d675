"""The transpose of broadcasting: sum over what was copied."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, expect_close, same

Rng = np.random.Generator

check_unbroadcast = Exercise(
    name="autograd/unbroadcast",
    title="Undo broadcasting",
    call="unbroadcast(g, shape)",
    kind="implement",
    difficulty=2,
    minutes=15,
    insight="Copying and summing are each other's transposes: what one did, the other takes back.",
)


def _loop(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Each entry of g is added where the number that was copied to it had come from."""
    found = np.zeros(shape)
    origin = np.broadcast_to(np.arange(found.size).reshape(shape), g.shape)
    for number, index in zip(g.reshape(-1), origin.reshape(-1)):
        found.reshape(-1)[index] += number
    return found


@check_unbroadcast.stage("A row that was copied to every row of a matrix")
def rows(unbroadcast: Callable[..., Any], rng: Rng) -> None:
    g = rng.normal(size=(3, 5))
    mistakes = [
        (g[0], "That is the share of the first copy alone: every copy had one, so add them."),
        (g.mean(axis=0), "A mean divides by the number of copies: the shares are added."),
        (np.full(5, g.sum()), "All entries were added together: sum over the copied axis alone."),
        (g, "It comes back as it was: the shape should be that of the number before copying."),
        (g.sum(axis=1), "That sums each row: the row of 5 was copied downwards, along axis 0."),
    ]
    expect_close(unbroadcast(g, (5,)), _loop(g, (5,)), "Not the sum over the copies.", mistakes)


@check_unbroadcast.stage("An axis of length 1 that was stretched")
def stretched(unbroadcast: Callable[..., Any], rng: Rng) -> None:
    g = rng.normal(size=(3, 5))
    got = unbroadcast(g, (3, 1))
    mistakes = [
        (g.sum(axis=1), "The sum is right and its axis is gone: keep it with keepdims=True."),
        (g, "The axis of length 1 was stretched to 5: sum over it, and keep it."),
        (g[:, :1], "That is the share of the first copy alone, along the stretched axis."),
    ]
    expect_close(got, _loop(g, (3, 1)), "Not the sums along the stretched axis.", mistakes)


@check_unbroadcast.stage("New axes in front and stretched ones at once", points=2)
def both(unbroadcast: Callable[..., Any], rng: Rng) -> None:
    for large, small in (((2, 3, 4, 5), (3, 1, 5)), ((4, 4, 4), (4, 1)), ((2, 3), (1, 1))):
        g = rng.normal(size=large)
        message = (
            f"From {large} to {small}. Shapes are matched from the right: the "
            f"{len(large) - len(small)} axes in front are new."
        )
        got = unbroadcast(g, small)
        expect(np.shape(got) == small, f"{message} The result has the shape {np.shape(got)}.")
        expect_close(got, _loop(g, small), message)


@check_unbroadcast.stage("Nothing was copied, or a single number was")
def extremes(unbroadcast: Callable[..., Any], rng: Rng) -> None:
    g = rng.normal(size=(3, 1, 5))
    expect(same(unbroadcast(g, g.shape), g), "Where nothing was copied, g should come back.")
    got = expect_array(unbroadcast(g, ()), what="for shape () your function")
    expect_close(got, g.sum(), "A single number () that was copied everywhere gets the whole sum.")
