"""A product of two numbers from units of squared ReLU."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array, same

check_product = Exercise(
    name="block/product",
    title="Open: multiply with a channel mixer",
    call="product()",
    kind="open",
    difficulty=3,
    minutes=20,
    insight="Four units and no error, where straight pieces need ever more for every digit.",
)

Rng = np.random.Generator


def _mixer(product: Callable[[], Any]) -> tuple[np.ndarray, np.ndarray]:
    got = product()
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return two arrays: `return up, down`.",
    )
    up, down = (expect_array(np.asarray(w, float), what=n) for w, n in zip(got, ("up", "down")))
    expect(
        up.ndim == 2 and up.shape[0] == 2 and down.shape == up.shape[1:],
        f"up should be (2, F) and down (F,), and they are {up.shape} and {down.shape}.",
    )
    expect(np.isfinite(up).all() and np.isfinite(down).all(), "The weights must be finite.")
    return up, down


def _said(product: Callable[[], Any], points: np.ndarray) -> np.ndarray:
    up, down = _mixer(product)
    return np.maximum(points @ up, 0) ** 2 @ down


@check_product.stage("1 times 1")
def one(product: Callable[[], Any], rng: Rng) -> None:
    got = _said(product, np.array([[1.0, 1.0]]))
    causes = {4.0: " (x + y)^2 is 4 x y and more: divide by 4.", 2.0: " Twice too large."}
    expect(same(got, [1.0]), f"1 times 1 gives {got[0]:.4g}.{causes.get(float(got[0]), '')}")


@check_product.stage("Anything times 0")
def zero(product: Callable[[], Any], rng: Rng) -> None:
    points = np.array([[0.7, 0.0], [0.0, 1.3]])
    expect(
        same(_said(product, points), [0.0, 0.0]),
        "A product with 0 is not 0: the squares x^2 and y^2 must cancel. What has the same squares "
        "as (x + y)^2, and another sign before x y?",
    )


@check_product.stage("Signs of all kinds", points=2)
def signs(product: Callable[[], Any], rng: Rng) -> str:
    points = rng.normal(size=(50, 2))
    got, want = _said(product, points), points.prod(1)
    where = int(np.abs(got - want).argmax())
    x, y = points[where]
    expect(
        same(got, want),
        f"{x:.3f} times {y:.3f} gives {got[where]:.3f}. ReLU cuts off negative numbers before the "
        "square: s^2 needs two units, one for s and one for -s.",
    )
    count = _mixer(product)[0].shape[1]
    return f"You used {count} units." + (" Can you do it with four?" if count > 4 else "")
