"""Real series: the samples that come with matplotlib, and generators of simple ones.

A series is an array (T, C): steps by channels.
"""

from typing import NamedTuple

import numpy as np

from minitx.tokens.patches import windows


def _sample(name: str):
    """A file of matplotlib's sample data, open for reading."""
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError:
        raise ImportError('the series come with matplotlib: pip install "minitx[plot]"') from None
    return get_sample_data(name, asfileobj=False)


def eeg() -> np.ndarray:
    """Four channels of an electroencephalogram: (800, 4) float32."""
    values = np.fromfile(_sample("eeg.dat"), dtype="<f8").reshape(800, 4)
    return values.astype(np.float32)


def share_price() -> np.ndarray:
    """Open, high, low, close (dollars) and volume (shares) of a share on 1,047 days: (1047, 5)."""
    with np.load(_sample("goog.npz"), allow_pickle=False) as file:
        table = file["price_data"]
    columns = [table[name] for name in ("open", "high", "low", "close", "volume")]
    return np.stack(columns, axis=-1).astype(np.float32)


def sines(
    steps: int, periods: tuple[float, ...], rng: np.random.Generator, noise: float = 0.1
) -> np.ndarray:
    """One channel a period: a sine of random phase with normal noise, (T, C) float32."""
    time = np.arange(steps)[:, None]  # (T, 1)
    phase = rng.uniform(0, 2 * np.pi, len(periods))
    clean = np.sin(2 * np.pi * time / np.asarray(periods) + phase)  # (T, C)
    return (clean + noise * rng.standard_normal(clean.shape)).astype(np.float32)


class Scaler(NamedTuple):
    """Mean and standard deviation (C,) of a training part, to bring all parts to one scale."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, series: np.ndarray) -> "Scaler":
        """The scale of a series (T, C); a constant channel keeps its scale."""
        std = series.std(axis=0)
        return cls(series.mean(axis=0), np.where(std > 0, std, np.ones_like(std)))

    def apply(self, series: np.ndarray) -> np.ndarray:
        """Each channel with the mean taken off, in units of the standard deviation."""
        return (series - self.mean) / self.std

    def undo(self, series: np.ndarray) -> np.ndarray:
        """The inverse of ``apply``."""
        return series * self.std + self.mean


def split_series(
    series: np.ndarray, parts: tuple[float, ...] = (0.7, 0.1, 0.2)
) -> list[np.ndarray]:
    """Consecutive parts of a series (T, C) in time: by default to train, validate and test."""
    if any(part <= 0 for part in parts) or abs(sum(parts) - 1) > 1e-9:
        raise ValueError(f"split_series expected positive parts that sum to 1, got {parts}")
    cuts = np.round(np.cumsum(parts)[:-1] * len(series)).astype(int)
    return np.split(series, cuts)


def forecast_pairs(
    series: np.ndarray, past: int, future: int, stride: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """What was seen and what came next: (T, C) -> (N, past, C) and (N, future, C).

    Raises ``ValueError`` for a series shorter than both together.
    """
    both = windows(series, past + future, stride)  # (N, past + future, C)
    return both[:, :past], both[:, past:]
