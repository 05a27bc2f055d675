"""The checks of chapter ``autograd``, one exercise a file; NumPy arrays go in and come out."""

from minitx.checks.autograd.by_hand import check_by_hand
from minitx.checks.autograd.difference import check_difference
from minitx.checks.autograd.keep import check_keep
from minitx.checks.autograd.reverse import check_reverse
from minitx.checks.autograd.softmax_rule import check_softmax_rule
from minitx.checks.autograd.unbroadcast import check_unbroadcast

EXERCISES = (
    check_by_hand,
    check_reverse,
    check_unbroadcast,
    check_softmax_rule,
    check_difference,
    check_keep,
)
