"""The experiments: ``<chapter>/<key>.py`` measures what a row of the catalogue claims.

A function marked ``@part(n)`` takes ``seed`` and returns the measured number of part n, or a
dictionary of numbers when the part has several measures. It does not know the threshold: the row
does. A page shows the same functions, the tests assert them, ``minitx claim KEY`` calls them.
"""

from minitx.experiments.claim import Outcome, judged, part, parts_of, run_claim, run_part, status

__all__ = ["Outcome", "judged", "part", "parts_of", "run_claim", "run_part", "status"]
