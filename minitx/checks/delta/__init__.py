"""The checks of chapter ``delta``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.delta.by_hand import check_by_hand
from minitx.checks.delta.parity import check_parity
from minitx.checks.delta.prediction import check_prediction
from minitx.checks.delta.rule import check_rule
from minitx.checks.delta.written import check_written

EXERCISES = (check_by_hand, check_rule, check_written, check_prediction, check_parity)
