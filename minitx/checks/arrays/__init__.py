"""The checks of chapter ``arrays``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.arrays.by_hand import check_by_hand
from minitx.checks.arrays.distances import check_distances
from minitx.checks.arrays.prediction import check_prediction
from minitx.checks.arrays.variance import check_variance
from minitx.checks.arrays.windows import check_windows

EXERCISES = (
    check_by_hand,
    check_distances,
    check_variance,
    check_prediction,
    check_windows,
)
