"""The checks of chapter ``tokens``, one exercise a file; words and arrays go in and come out."""

from minitx.checks.tokens.by_hand import check_by_hand
from minitx.checks.tokens.encode import check_encode
from minitx.checks.tokens.pack import check_pack
from minitx.checks.tokens.patches import check_patches
from minitx.checks.tokens.pieces import check_pieces
from minitx.checks.tokens.prediction import check_prediction

EXERCISES = (
    check_by_hand,
    check_encode,
    check_pack,
    check_patches,
    check_prediction,
    check_pieces,
)
