"""The checks of chapter ``training``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.training.adamw import check_adamw
from minitx.checks.training.by_hand import check_by_hand
from minitx.checks.training.clip import check_clip
from minitx.checks.training.diagnose import check_diagnose
from minitx.checks.training.epoch import check_epoch
from minitx.checks.training.prediction import check_prediction

EXERCISES = (
    check_by_hand,
    check_epoch,
    check_adamw,
    check_clip,
    check_prediction,
    check_diagnose,
)
