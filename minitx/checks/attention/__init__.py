"""The checks of chapter ``attention``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.attention.attention import check_attention
from minitx.checks.attention.by_hand import check_by_hand
from minitx.checks.attention.heads import check_heads
from minitx.checks.attention.masks import check_masks
from minitx.checks.attention.prediction import check_prediction
from minitx.checks.attention.previous_token import check_previous_token

EXERCISES = (
    check_by_hand,
    check_attention,
    check_masks,
    check_heads,
    check_prediction,
    check_previous_token,
)
