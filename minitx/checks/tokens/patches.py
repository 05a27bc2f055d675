"""Images cut into patches, by turning axes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close
from minitx.checks.tokens.oracle import Rng

check_patches = Exercise(
    name="tokens/patches",
    title="An image as a sequence",
    call="patches(images, size)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Two reshapes with one transposition between them: the pixels only change places.",
)


def cut(images: np.ndarray, size: int) -> np.ndarray:
    """One patch after the other, a slice each."""
    _, height, width, _ = images.shape
    corners = [(i, j) for i in range(0, height, size) for j in range(0, width, size)]
    found = [images[:, i : i + size, j : j + size].reshape(len(images), -1) for i, j in corners]
    return np.stack(found, axis=1)


def _turned(images: np.ndarray, size: int, axes: tuple[int, ...]) -> np.ndarray:
    """Patches as another order of the axes (b, i, p, j, q, c) gives them."""
    b, h, w, c = images.shape
    grid = images.reshape(b, h // size, size, w // size, size, c).transpose(axes)
    return grid.reshape(b, -1, size * size * c)


@check_patches.stage("Patches of one pixel are the pixels, row by row")
def pixels(patches: Callable[..., Any], rng: Rng) -> None:
    images = rng.normal(size=(2, 3, 5, 4))
    got = expect_array(patches(images, 1), (2, 15, 4))
    want = images.reshape(2, 15, 4)
    columns = _turned(images, 1, (0, 3, 1, 2, 4, 5))
    mistakes = [
        (columns, "The tokens go down the columns: the first row of the image comes first."),
    ]
    expect_close(got, want, "With patches of one pixel, token t is pixel t.", mistakes)


@check_patches.stage("One row of patches", points=2)
def one_row(patches: Callable[..., Any], rng: Rng) -> None:
    images = rng.normal(size=(2, 3, 12, 1))
    got = expect_array(patches(images, 3), (2, 4, 9))
    mistakes = [
        (
            images.reshape(2, 4, 9),
            "A reshape alone cuts the image into strips: a patch has pixels of several rows, which "
            "are not neighbours in memory. Give rows and columns two axes each, then transpose.",
        ),
        (
            _turned(images, 3, (0, 1, 3, 4, 2, 5)),
            "The patches are right, but turned over: inside a patch, go along its rows as well.",
        ),
        (
            images.reshape(2, 3, 3, 4).transpose(0, 3, 1, 2).reshape(2, 4, 9),
            "A token has every fourth pixel of a row: of the two axes that W becomes, the one that "
            "numbers the patches comes first, (W // size, size).",
        ),
    ]
    expect_close(got, cut(images, 3), "It differs from patches cut one by one.", mistakes)


@check_patches.stage("Rows, columns and channels of an image that is no square", points=2)
def colours(patches: Callable[..., Any], rng: Rng) -> None:
    images = rng.normal(size=(3, 4, 6, 5))
    got = expect_array(patches(images, 2), (3, 6, 20))
    mistakes = [
        (
            _turned(images, 2, (0, 3, 1, 2, 4, 5)),
            "Patches are numbered down the columns: the second patch is to the right of the first.",
        ),
        (
            _turned(images, 2, (0, 1, 3, 5, 2, 4)),
            "Channels come first inside your patches, and should be last, as in the image.",
        ),
    ]
    expect_close(got, cut(images, 2), "It differs from patches cut one by one.", mistakes)
