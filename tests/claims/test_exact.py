"""The exact parts of every claim: identities, constructions, limits. None may be excused."""

import pytest

from minitx import catalogue
from minitx.catalogue.results import experiment, file_of
from minitx.experiments import run_part

EXACT = [
    pytest.param(paper, part, id=f"{paper.key}-{part.number}")
    for paper in catalogue.load()
    for part in paper.parts
    if part.exact
]


@pytest.mark.parametrize(("paper", "part"), EXACT)
def test_exact(paper, part):
    if file_of(experiment(paper)) is None:
        pytest.xfail(f"the experiment of {paper.key} is not written yet")
    outcome = run_part(paper, part)
    assert outcome.verdict == "held", outcome.line()
