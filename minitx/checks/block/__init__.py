"""The checks of chapter ``block``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.block.by_hand import check_by_hand
from minitx.checks.block.layer_norm import check_layer_norm
from minitx.checks.block.pre_norm import check_pre_norm
from minitx.checks.block.prediction import check_prediction
from minitx.checks.block.product import check_product

EXERCISES = (check_by_hand, check_layer_norm, check_pre_norm, check_prediction, check_product)
