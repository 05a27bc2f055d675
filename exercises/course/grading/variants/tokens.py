"""Page ``tokens``."""

from typing import Any

from . import Rng, as_the_solution, sizes


def patches(rng: Rng) -> tuple[Any, ...]:
    B, rows, columns, size = sizes(rng, 4, 2, 7)
    return rng.normal(size=(B, rows * size, columns * size, 3)), size


def encode(rng: Rng) -> tuple[Any, ...]:
    """Merges at random among pieces that there are, and a word of few letters."""
    letters, merges = list("abc"), []
    for _ in range(sizes(rng, 1)[0]):
        left, right = (str(piece) for piece in rng.choice(letters, 2))
        merges.append((left, right))
        letters.append(left + right)
    return "".join(rng.choice(list("abc"), sizes(rng, 1, 9, 40)[0])), merges


def pack(rng: Rng) -> tuple[Any, ...]:
    count, length = sizes(rng, 2)
    documents = [rng.integers(1, 50, n) for n in rng.integers(length, 30, count)]
    return documents, 0, length


VARIANTS = {
    "patches": as_the_solution(patches),
    "encode": as_the_solution(encode),
    "pack": as_the_solution(pack),
}
