"""A hidden layer that adds: one question about a sum for each unit."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect, expect_array

check_adder = Exercise(
    name="programs/adder",
    title="Hidden units that add",
    call="adder(N)",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="No carry travels: each bit asks by itself where the whole sum lies.",
)

Rng = np.random.Generator
PLACES = ("up", "bias", "down", "constant")


def bits_of(numbers: Any, count: int) -> np.ndarray:
    """Bits of -1 and 1, (..., count), lowest first."""
    return 2.0 * (np.asarray(numbers)[..., None] >> np.arange(count) & 1) - 1


def _layer(adder: Callable[[int], Any], bits: int) -> list[np.ndarray]:
    got = adder(bits)
    expect(
        isinstance(got, tuple | list) and len(got) == 4,
        "Your function should return four arrays: `return up, bias, down, constant`.",
    )
    arrays = [np.asarray(array, float) for array in got]
    units = arrays[1].size
    wanted = ((2 * bits, units), (units,), (units, bits), (bits,))
    for name, array, shape in zip(PLACES, arrays, wanted):
        expect(
            array.shape == shape,
            f"For N = {bits} and {units} units, {name} should be {shape}, and it is {array.shape}.",
        )
        expect_array(array, shape, what=name)
    return arrays


def _sums(adder: Callable[[int], Any], pairs: np.ndarray, bits: int, noise: Any = 0.0) -> Any:
    up, bias, down, constant = _layer(adder, bits)
    given = np.concatenate([bits_of(pairs[:, 0], bits), bits_of(pairs[:, 1], bits)], 1) + noise
    return np.maximum(given @ up + bias, 0) @ down + constant


def _all_pairs(bits: int) -> np.ndarray:
    numbers = np.arange(2**bits)
    return np.stack([each.ravel() for each in np.meshgrid(numbers, numbers)], 1)


def _differ(got: np.ndarray, pairs: np.ndarray, bits: int) -> str | None:
    """The first sum that is wrong, in words."""
    want = bits_of(pairs.sum(1), bits)
    wrong = np.argwhere(~(np.abs(got - want) < 1e-6))
    if not len(wrong):
        return None
    row, bit = wrong[0]
    x, y = pairs[row]
    return (
        f"{x} + {y} is {(x + y) % 2**bits} in {bits} bits: bit {bit} should be {want[row, bit]:g} "
        f"and is {got[row, bit]:.4g}."
    )


@check_adder.stage("1 + 0, in two bits")
def first(adder: Callable[[int], Any], rng: Rng) -> None:
    pairs = np.array([[1, 0], [0, 1]])
    said = _sums(adder, pairs, 2)
    expect(
        not np.allclose(said, (bits_of(1, 2) + 1) / 2),
        "The bits come out as 0 and 1, and should be -1 and 1: double what the units say, and "
        "let the constant take off 1.",
    )
    found = _differ(said, pairs, 2)
    expect(found is None, f"{found} Let S be the sum of both numbers; bit 0 is on for S = 1.")


@check_adder.stage("All sums of two bits", points=2)
def two_bits(adder: Callable[[int], Any], rng: Rng) -> None:
    pairs = _all_pairs(2)
    said = _sums(adder, pairs, 2)
    found = _differ(said, pairs, 2)
    high = pairs.sum(1) >= 4
    lost = found and _differ(said[~high], pairs[~high], 2) is None
    expect(not lost, f"{found} The sum may be up to 2^(j+2) - 2, and from 3 times 2^j on its bit j "
           "is on again: that is a third step.")  # fmt: skip
    both = (pairs % 2).sum(1) == 2
    lost = found and _differ(said[~both], pairs[~both], 2) is None
    expect(not lost, f"{found} Only sums of two odd numbers are wrong: bit 1 does not hear of the "
           "carry. Its sum S_1 begins with the bits 0.")  # fmt: skip
    expect(found is None, f"{found}")


@check_adder.stage("All sums of five bits, and some of eight")
def more_bits(adder: Callable[[int], Any], rng: Rng) -> None:
    for bits, pairs in ((5, _all_pairs(5)), (8, rng.integers(0, 256, (500, 2)))):
        found = _differ(_sums(adder, pairs, bits), pairs, bits)
        expect(found is None, f"Two bits are right, more are not: {found}")


@check_adder.stage("Bits that are a little off", points=2)
def rounds(adder: Callable[[int], Any], rng: Rng) -> str:
    pairs = rng.integers(0, 256, (500, 2))
    noise = rng.uniform(-5e-4, 5e-4, (500, 16))
    found = _differ(_sums(adder, pairs, 8, noise), pairs, 8)
    expect(
        found is None,
        f"Exact bits are added rightly, bits that are off by 1/2000 are not: {found} A step must "
        "be flat on both sides of every whole number: let it climb between m - 3/4 and m - 1/4.",
    )
    units = _layer(adder, 8)[1].size
    return f"You used {units / 8:g} units for a bit."
