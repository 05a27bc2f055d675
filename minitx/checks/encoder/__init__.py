"""The checks of chapter ``encoder``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.encoder.by_hand import check_by_hand
from minitx.checks.encoder.masked_loss import check_masked_loss
from minitx.checks.encoder.poly_scores import check_poly_scores
from minitx.checks.encoder.prediction import check_prediction
from minitx.checks.encoder.search import check_search

EXERCISES = (
    check_by_hand,
    check_masked_loss,
    check_poly_scores,
    check_prediction,
    check_search,
)
