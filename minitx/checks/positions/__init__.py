"""The checks of chapter ``positions``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.positions.by_hand import check_by_hand
from minitx.checks.positions.distances import check_distances
from minitx.checks.positions.multiplier import check_multiplier
from minitx.checks.positions.prediction import check_prediction
from minitx.checks.positions.rotary import check_rotary

EXERCISES = (check_by_hand, check_rotary, check_distances, check_prediction, check_multiplier)
