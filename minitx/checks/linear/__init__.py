"""The checks of chapter ``linear``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.linear.by_hand import check_by_hand
from minitx.checks.linear.chunks import check_chunks
from minitx.checks.linear.features import check_features
from minitx.checks.linear.gradients import check_gradients
from minitx.checks.linear.prediction import check_prediction
from minitx.checks.linear.whole import check_whole

EXERCISES = (
    check_by_hand,
    check_whole,
    check_chunks,
    check_gradients,
    check_prediction,
    check_features,
)
