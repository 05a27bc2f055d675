"""Mistakes in the exercises of chapter ``arrays``."""

import numpy as np

from minitx.checks.arrays import (
    check_by_hand,
    check_distances,
    check_prediction,
    check_variance,
    check_windows,
)
from minitx.checks.mutants import mutant

STRIDES = [[12, 4, 1], [12, 1, 4], [12, 8, 1], [12, 0, 1]]


@mutant(check_by_hand, "four lists of three")
def hand_one_list():
    return [12, 4, 1]


@mutant(check_by_hand, "These are bytes")
def hand_bytes():
    return [[8 * step for step in one] for one in STRIDES]


@mutant(check_by_hand, "That is the shape")
def hand_shape():
    return [[2, 3, 4], *STRIDES[1:]]


@mutant(check_by_hand, "runs fastest")
def hand_columns_first():
    return [[1, 2, 6], *STRIDES[1:]]


@mutant(check_by_hand, "did not swap")
def hand_not_swapped():
    return [STRIDES[0], STRIDES[0], *STRIDES[2:]]


@mutant(check_by_hand, "Every second row")
def hand_no_step():
    return [*STRIDES[:2], [12, 4, 1], STRIDES[3]]


@mutant(check_by_hand, "nothing moved closer")
def hand_packed():
    return [*STRIDES[:2], [6, 6, 1], STRIDES[3]]


@mutant(check_by_hand, "from a row to itself")
def hand_copied():
    return [*STRIDES[:3], [12, 4, 1]]


@mutant(check_by_hand, "does not pass 24 entries")
def hand_copied_and_packed():
    return [*STRIDES[:3], [24, 4, 1]]


def _squares(x):
    return (x * x).sum(axis=-1)


@mutant(check_distances, "take no root")
def rooted(x, y):
    return np.sqrt(_squares(x[:, None] - y))


@mutant(check_distances, "Absolute differences")
def absolute(x, y):
    return np.abs(x[:, None] - y).sum(axis=-1)


@mutant(check_distances, "comes twice")
def product_once(x, y):
    return _squares(x)[:, None] + _squares(y) - x @ y.T


@mutant(check_distances, "one of three terms")
def product_only(x, y):
    return x @ y.T


@mutant(check_distances, "Rows and columns are swapped")
def swapped(x, y):
    return _squares(y[:, None] - x)


@mutant(check_distances, "Only pairs of equal number")
def pairs_only(x, y):
    n = min(len(x), len(y))
    return _squares(x[:n] - y[:n]) if n > 1 else _squares(x - y)[:, None]


@mutant(check_distances, "wants a new axis".replace("wants", "want"))
def no_new_axis(x, y):
    return _squares(x) + _squares(y) - 2 * x @ y.T


@mutant(check_distances, "a row meets a column")
def axis_by_trial(x, y):
    lengths = _squares(x)
    if len(x) != len(y):
        lengths = lengths[:, None]
    return lengths + _squares(y) - 2 * x @ y.T


@mutant(check_distances, "600 million entries")
def three_axes(x, y):
    return _squares(x[:, None] - y)


@mutant(check_variance, "one number less")
def sample_variance(x):
    return x.var(axis=-1, ddof=1)


@mutant(check_variance, "the standard deviation")
def deviation(x):
    return x.std(axis=-1)


@mutant(check_variance, "the sum of the squares")
def sum_of_squares(x):
    return _squares(x - x.mean(axis=-1, keepdims=True))


@mutant(check_variance, "lets the means meet")
def no_keepdims(x):
    return ((x - x.mean(axis=-1)) ** 2).mean(axis=-1)


@mutant(check_variance, "a variance of its own")
def one_mean_for_all(x):
    return ((x - x.mean()) ** 2).mean(axis=-1)


@mutant(check_variance, "subtract the mean before")
def difference_of_means(x):
    return (x * x).mean(axis=-1) - x.mean(axis=-1) ** 2


@mutant(check_variance, "The result is float64")
def widened(x):
    return np.var(x.astype(np.float64), axis=-1)


def _words(*others):
    words = ["view", "view", "view", "copy", "copy", "copy"]
    for i in others:
        words[i] = "copy" if words[i] == "view" else "view"
    return words


@mutant(check_prediction, "six words")
def one_word():
    return "view"


@mutant(check_prediction, "of x.T")
def turning_copies():
    return _words(0)


@mutant(check_prediction, "of x[1:, ::-1]")
def backwards_copies():
    return _words(1)


@mutant(check_prediction, "of x.reshape(6, 4)")
def reshape_copies():
    return _words(2)


@mutant(check_prediction, "of x.swapaxes(1, 2).reshape")
def reshape_never_copies():
    return _words(3)


@mutant(check_prediction, "of x[[0, 1]]")
def lists_are_slices():
    return _words(4)


@mutant(check_windows, "Rows and columns are swapped")
def turned(x, width):
    return np.lib.stride_tricks.sliding_window_view(x, width).T


@mutant(check_windows, "last window is missing")
def one_too_few(x, width):
    return np.lib.stride_tricks.sliding_window_view(x, width)[:-1]


@mutant(check_windows, "do not overlap")
def apart(x, width):
    return x[: len(x) // width * width].reshape(-1, width)


@mutant(check_windows, "every third number")
def eight_bytes(x, width):
    shape = (len(x) - width + 1, width)
    return np.lib.stride_tricks.as_strided(x, shape, (8, 8), writeable=False)


@mutant(check_windows, "and were copied")
def picked(x, width):
    return x[np.arange(len(x) - width + 1)[:, None] + np.arange(width)]


@mutant(check_windows, "is a trap")
def writeable(x, width):
    step = x.strides[0]
    return np.lib.stride_tricks.as_strided(x, (len(x) - width + 1, width), (step, step))
