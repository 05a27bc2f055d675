"""The results file: it speaks of the code as it is, and of nothing else."""

import pytest

from minitx import catalogue
from minitx.catalogue import results
from minitx.experiments import Outcome, judged

TRAINED = [
    pytest.param(paper, part, id=f"{paper.key}-{part.number}")
    for paper in catalogue.load()
    for part in paper.parts
    if not part.exact
]


def recorded(paper, part):
    return results.read().get(paper.key, {}).get(str(part.number))


@pytest.mark.parametrize(("paper", "part"), TRAINED)
def test_a_result_is_recorded_and_not_stale(paper, part):
    recorded(paper, part)
    reason = results.stale(paper, part, results.read())
    assert reason is None, f"{paper.key} {part.number}: {reason}; `make claims` measures again"


@pytest.mark.parametrize(("paper", "part"), TRAINED)
def test_what_was_measured_holds_or_its_failure_is_recorded(paper, part):
    result = recorded(paper, part)
    assert result is not None, "no result is recorded"
    values = tuple(tuple(measure["by_seed"]) for measure in result["measures"])
    outcome = judged(Outcome(paper, part.number, "", tuple(result["seeds"]), values))
    assert outcome.verdict in ("held", "failed as recorded"), outcome.line()
    assert result["passed"] == (outcome.verdict == "held")


def test_every_result_belongs_to_a_trained_part():
    trained = {f"{paper.key} {part.number}" for paper, part in (it.values for it in TRAINED)}
    found = {f"{key} {number}" for key, parts in results.read().items() for number in parts}
    assert found <= trained


def test_no_result_names_a_host_or_a_path():
    for parts in results.read().values():
        for result in parts.values():
            text = str(result["machine"])
            assert "/home" not in text
            assert not {"host", "node", "user"} & set(result["machine"])
