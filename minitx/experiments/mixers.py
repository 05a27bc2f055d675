"""What every registered token mixer costs: seconds and memory against the length.

One head of width 64 where the mixer has heads, one sequence, forwards and backwards, float32, on
one thread. Seconds are the processor's (other work on the machine does not count), memory is the
peak of what NumPy holds beside weights and input. A mixer is measured up to its first length that
takes more than 2 s or 1.5 GB. ``mixers.json`` beside the catalogue holds the last full run.
"""

import json
import math
import os
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minitx import catalogue
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import TokenMixer
from minitx.contracts.battery import Size, Variant
from minitx.contracts.variants import VARIANTS

FILE = Path(catalogue.__file__).with_name("mixers.json")
LENGTHS = tuple(2**n for n in range(8, 15))  # 256 ... 16,384
MOST_SECONDS, MOST_BYTES = 2.0, 1.5e9
WIDTH = 64
LONG = 2048  # from here on lengths count for an exponent: below, calls cost more than numbers


@dataclass(frozen=True)
class Cost:
    """One mixer's row: ``declared`` and ``fitted`` are exponents of its seconds in the length."""

    name: str
    code: str
    declared: float
    fitted: float
    lengths: list[int]
    seconds: list[float]
    bytes: list[int]


def registered() -> list[Variant]:
    """Every token mixer on the contract's list."""
    return [variant for variant in VARIANTS if variant.contract == "token_mixer"]


def made(variant: Variant, d_model: int = WIDTH) -> TokenMixer:
    """The variant's mixer with one head, as wide as the model."""
    return variant.make(np.random.default_rng(0), Size(d_model, num_heads=1)).eval()


def once(mixer: TokenMixer, x: Tensor) -> float:
    """Seconds of this thread for one pass forwards and backwards."""
    mixer.zero_grad()
    start = time.thread_time()
    F.mean(F.square(mixer(x))).backward()
    return time.thread_time() - start


def peak(mixer: TokenMixer, x: Tensor) -> int:
    """The most bytes that such a pass holds at a time."""
    tracemalloc.start()
    try:
        once(mixer, x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measure(variant: Variant, lengths: Sequence[int] = LENGTHS) -> Cost:
    """Time and memory at each length (the best of three if they are short), and the exponent."""
    mixer, taken, held = made(variant), [], []
    for length in lengths:
        values = np.random.default_rng(1).standard_normal((1, length, WIDTH))
        x = Tensor(values, requires_grad=True)
        held.append(peak(mixer, x))
        runs = [once(mixer, x)]
        if runs[0] < 0.5:
            runs += [once(mixer, x) for _ in range(2)]
        taken.append(min(runs))
        if taken[-1] > MOST_SECONDS or held[-1] > MOST_BYTES:
            break
    lengths = list(lengths[: len(taken)])
    return Cost(
        variant.name, variant.code, variant.cost, exponent(lengths, taken), lengths, taken, held
    )


def exponent(lengths: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of log cost against log length, from LONG on, over the last three at least.

    NaN for a single length.
    """
    if len(lengths) < 2:
        return math.nan
    first = min(sum(n < LONG for n in lengths), max(len(lengths) - 3, 0))
    return float(np.polyfit(np.log(lengths[first:]), np.log(costs[first:]), 1)[0])


def write(rows: Sequence[Cost], about: dict[str, str], file: Path = FILE) -> None:
    """Put a run into the file, which is replaced whole; ``about``: machine and date."""
    lines = ",\n".join(f"  {json.dumps(asdict(_rounded(row)), ensure_ascii=False)}" for row in rows)
    head = json.dumps(about, ensure_ascii=False)
    new = file.with_suffix(".new")
    text = f'{{\n "machine": {head},\n "mixers": [\n{lines}\n ]\n}}\n'
    new.write_text(text, encoding="utf8", newline="\n")
    os.replace(new, file)


def _rounded(row: Cost) -> Cost:
    seconds = [float(f"{s:.4g}") for s in row.seconds]
    return Cost(**{**asdict(row), "fitted": round(row.fitted, 3), "seconds": seconds})


def read(file: Path = FILE) -> tuple[dict[str, Any], list[Cost]]:
    """(machine and date, the rows) of the last run."""
    found = json.loads(file.read_text("utf8"))
    return found["machine"], [Cost(**row) for row in found["mixers"]]
