"""The checks of chapter ``start``: how well a guess does, and how bold it is."""

from minitx.checks.start.bits import check_bits
from minitx.checks.start.temperature import check_temperature

EXERCISES = (check_bits, check_temperature)
