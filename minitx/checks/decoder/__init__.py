"""The checks of chapter ``decoder``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.decoder.by_hand import check_by_hand
from minitx.checks.decoder.draft import check_draft
from minitx.checks.decoder.loss import check_loss
from minitx.checks.decoder.order import check_order
from minitx.checks.decoder.step import check_step
from minitx.checks.decoder.top_p import check_top_p

EXERCISES = (
    check_by_hand,
    check_loss,
    check_step,
    check_top_p,
    check_order,
    check_draft,
)
