"""The checks of chapter ``looped``, one exercise a file; NumPy arrays in, NumPy arrays out."""

from minitx.checks.looped.by_hand import check_by_hand
from minitx.checks.looped.descent import check_descent
from minitx.checks.looped.loop_loss import check_loop_loss
from minitx.checks.looped.prediction import check_prediction
from minitx.checks.looped.steps import check_steps

EXERCISES = (check_by_hand, check_descent, check_loop_loss, check_prediction, check_steps)
