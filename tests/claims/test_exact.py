"""The exact parts of every claim: identities, constructions, limits. None may be excused."""

import pytest

from minitx import catalogue
from minitx.experiments import run_part

EXACT = [
    pytest.param(paper, part, id=f"{paper.key}-{part.number}")
    for paper in catalogue.load()
    for part in paper.parts
    if part.exact
]


@pytest.mark.parametrize(("paper", "part"), EXACT)
def test_exact(paper, part):
    outcome = run_part(paper, part)
    assert outcome.verdict == "held", outcome.line()
