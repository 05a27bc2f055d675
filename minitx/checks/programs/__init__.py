"""The checks of chapter ``programs``, one exercise a file; arrays or the text of a program."""

from minitx.checks.programs.adder import check_adder
from minitx.checks.programs.by_hand import check_by_hand
from minitx.checks.programs.gcd import check_gcd
from minitx.checks.programs.prediction import check_prediction
from minitx.checks.programs.program import check_program

EXERCISES = (check_by_hand, check_adder, check_program, check_prediction, check_gcd)
