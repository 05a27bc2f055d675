"""The checks of chapter ``encoder_decoder``, one exercise a file; NumPy arrays go in and out."""

from minitx.checks.encoder_decoder.beam_search import check_beam_search
from minitx.checks.encoder_decoder.by_hand import check_by_hand
from minitx.checks.encoder_decoder.cross_attention import check_cross_attention
from minitx.checks.encoder_decoder.misled import check_misled
from minitx.checks.encoder_decoder.prediction import check_prediction
from minitx.checks.encoder_decoder.teacher_forcing import check_teacher_forcing

EXERCISES = (
    check_by_hand,
    check_cross_attention,
    check_teacher_forcing,
    check_beam_search,
    check_prediction,
    check_misled,
)
