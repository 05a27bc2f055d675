"""Page ``programs``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect
from minitx.checks.programs.adder import bits_of
from minitx.checks.programs.gcd import MANY
from minitx.checks.programs.program import LIMIT, assembled, runs

from . import Again, Rng, sizes


def adder(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any layer will do that adds, and rounds."""
    for N in sizes(rng, 3, 2, 9):
        x, y = rng.integers(2**N, size=(2, 300))
        got = answer(N)
        expect(isinstance(got, tuple | list) and len(got) == 4, "Return four arrays.")
        up, bias, down, constant = (np.asarray(part, float) for part in got)
        shapes = [(2 * N, bias.size), (bias.size,), (bias.size, N), (N,)]
        fits = [part.shape for part in (up, bias, down, constant)] == shapes
        expect(fits, f"With N = {N} some array has not the shape that the exercise asks for.")
        bits = np.concatenate([bits_of(x, N), bits_of(y, N)], axis=1)
        bits += rng.uniform(-5e-4, 5e-4, bits.shape)
        sums = np.maximum(bits @ up + bias, 0) @ down + constant
        expect((np.abs(sums - bits_of(x + y, N)) < 1e-6).all(), f"With N = {N} a sum is wrong.")


def _leaves(answer: Callable[..., Any], pairs: Any, cell: str, want: Any, limit: int) -> None:
    """The program must leave ``want(x, y)`` in ``cell``, for all pairs."""
    inputs = [{"x": int(x), "y": int(y)} for x, y in pairs]
    for given, cells in zip(inputs, runs(assembled(answer, ("x", "y", cell)), inputs, limit)):
        message = f"With x = {given['x']} and y = {given['y']} it leaves {cell} = {cells[cell]}."
        expect(cells[cell] == want(given["x"], given["y"]), message)


def program(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    a, b, c = sizes(rng, 3, 1, 60)
    pairs = [(a, b), (b, a), (-a, b), (a, -b), (-a, -b), (c, c), (-c, -c), (-c, 0), (0, c)]
    _leaves(answer, pairs, "d", lambda x, y: abs(x - y), LIMIT)


def gcd(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Pairs with a divisor above 1, and none that takes long; and two numbers that are equal."""
    pairs = [rng.integers(2, 9) * np.array(sizes(rng, 2, 2, 6)) for _ in range(3)]
    same = int(rng.integers(2, 41))
    _leaves(answer, [*pairs, (same, same)], "g", math.gcd, MANY)


LOOK_UP = r"""
Four columns: three cells of memory with the addresses {}, {} and {}, whose codes are ${}$,
${}$ and ${}$ and which hold the bits ${:+}, {:+}, {:+}$; and the scratchpad, with the code
$(0, 0)$ and nothing in it. It asks for address **{asked}** with
$q = \frac{{\lambda}}{{2}} p_{asked}$ and $\lambda = \ln {size}$. (a) What are the four weights of
attention, as fractions? (b) What is heard? (c) Words of {width} bits, $y = {y}$ and $x = {x}$: what
is the number $y + \bar x + 1$, where $\bar x$ is $x$ with every bit turned over, and which word of
{width} bits comes out, as a number from {least} to {most}?

Return four things: the four weights (cells in this order, scratchpad), what is heard, the number,
the word."""


def draw_look_up(rng: Rng) -> tuple[Any, ...]:
    """An address, e^lambda, bits that are not all alike; two different words."""
    width = int(rng.integers(3, 5))
    y, x = map(int, rng.choice(2**width, 2, replace=False))
    bits = [1, 1, 1]
    while len(set(bits)) == 1:
        bits = rng.choice([-1, 1], 3).tolist()
    return int(rng.integers(4)), int(rng.choice([5, 7, 9, 13, 17])), bits, width, y, x


def _cells(asked: int) -> list[int]:
    """All addresses but the one that is opposite."""
    return [address for address in range(4) if address != 3 - asked]


def look_up_text(asked: int, size: int, bits: list[int], width: int, y: int, x: int) -> str:
    cells = _cells(asked)
    codes = ["({:g}, {:g})".format(*bits_of(cell, 2)) for cell in cells]
    known = {"asked": asked, "size": size, "width": width, "y": y, "x": x}
    half = 2 ** (width - 1)
    return LOOK_UP.format(*cells, *codes, *bits, least=-half, most=half - 1, **known)


def look_up(asked: int, size: int, bits: list[int], width: int, y: int, x: int) -> tuple[Any, ...]:
    codes = np.append(bits_of(_cells(asked), 2), [[0, 0]], axis=0)
    parts = float(size) ** (codes @ bits_of(asked, 2) / 2)
    weights = parts / parts.sum()
    total, half = y + (2**width - 1 - x) + 1, 2 ** (width - 1)
    return weights, weights[:3] @ bits, total, (total + half) % (2 * half) - half


LEADS = r"""
Attention looks up one of {columns} columns; the right one leads its nearest rivals by
$\lambda$. How large must $\lambda$ be for the right column to get **{over}/{under}** of the weight?
First with names that are all equally far apart, then with binary codes of {width} bits, all in use,
where each bit of difference costs a factor $e^\lambda$.

Return the two leads, as expressions with `np.log` and not rounded."""


def draw_leads(rng: Rng) -> tuple[int, int, int]:
    over, under = [(1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 5), (4, 5)][rng.integers(7)]
    return int(rng.choice([6, 7, 8, 9, 11, 12])), over, under


def leads_text(width: int, over: int, under: int) -> str:
    return LEADS.format(columns=2**width, width=width, over=over, under=under)


def leads(width: int, over: int, under: int) -> tuple[float, float]:
    names = np.log((2**width - 1) * over / (under - over))
    return float(names), float(-np.log((under / over) ** (1 / width) - 1))


VARIANTS = {
    "by_hand": Again(draw_look_up, look_up_text, look_up, (3, 9, [1, -1, -1], 3, 1, 6)),
    "adder": adder,
    "program": program,
    "prediction": Again(draw_leads, leads_text, leads, (10, 1, 2)),
    "gcd": gcd,
}
