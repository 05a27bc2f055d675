"""The trained parts of every claim, measured again with all their seeds (`pytest -m slow`)."""

import pytest

from minitx import catalogue
from minitx.experiments import run_part

pytestmark = pytest.mark.slow
TRAINED = [
    pytest.param(paper, part, id=f"{paper.key}-{part.number}")
    for paper in catalogue.load()
    for part in paper.parts
    if not part.exact
]


@pytest.mark.parametrize(("paper", "part"), TRAINED)
def test_trained(paper, part):
    outcome = run_part(paper, part)
    assert outcome.verdict in ("held", "failed as recorded"), outcome.line()
