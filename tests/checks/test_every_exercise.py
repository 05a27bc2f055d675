"""The solution passes, the stub is told kindly, each mistake fails with its own message."""

from itertools import combinations

import pytest

from minitx.checks import CHAPTERS, chapter, exercises
from minitx.checks.mutants import mutants

MUTANTS = [mutant for name in CHAPTERS for mutant in mutants(name)]


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_the_solution_passes_with_every_point(answer, exercise):
    solution = answer("solutions", exercise)
    for seed in (0, 1, 17):
        report = exercise.report(solution, seed)
        assert report.passed, report.message
        assert report.points == report.total == exercise.points > 0
        assert exercise.insight in report.message


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_the_stub_is_still_to_be_done(answer, exercise):
    report = exercise.report(answer("reader", exercise))
    assert report.to_do
    assert not report.passed
    assert report.points == 0
    assert "still to be done" in report.message
    with pytest.raises(AssertionError, match="still to be done"):
        exercise(answer("reader", exercise))


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mistake_fails_with_its_message(mutant):
    for seed in (0, 1, 17):
        report = mutant.exercise.report(mutant.answer, seed)
        assert not report.passed
        assert not report.to_do
        assert mutant.says in report.message
        assert "\n" not in report.message


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_no_two_mistakes_share_a_message(exercise):
    own = [mutant for mutant in MUTANTS if mutant.exercise is exercise]
    assert len(own) >= 4
    said = {mutant.answer.__name__: exercise.report(mutant.answer).message for mutant in own}
    for one, other in combinations(own, 2):
        assert one.says not in said[other.answer.__name__], (one, other)
        assert other.says not in said[one.answer.__name__], (one, other)


@pytest.mark.parametrize("exercise", exercises(), ids=str)
def test_every_question_is_the_first_to_catch_some_mistake(exercise):
    own = [mutant for mutant in MUTANTS if mutant.exercise is exercise]
    first = {exercise.report(mutant.answer).outcomes.index(False) for mutant in own}
    assert first == set(range(len(exercise.stages)))


def test_mistakes_that_are_caught_late_keep_points():
    earned = {str(mutant): mutant.exercise.report(mutant.answer).points for mutant in MUTANTS}
    assert earned["attention/attention-all_axes_turned"] == 5
    assert earned["attention/masks-mask_nan"] == 6
    assert earned["attention/attention-over_queries"] == 0


def test_every_question_can_earn_points_after_a_failure():
    mutant = next(m for m in MUTANTS if m.answer.__name__ == "overflows" and "start" in str(m))
    scaled = next(m for m in MUTANTS if m.answer.__name__ == "scaled_late")
    assert mutant.exercise.report(mutant.answer, every=True).outcomes == (True, True, True, False)
    report = scaled.exercise.report(scaled.answer, every=True)
    assert report.outcomes == (False,) * 5  # each question sees weights that sum to 1/√d


@pytest.mark.parametrize("name", CHAPTERS)
def test_exercises_are_described(name):
    for exercise in chapter(name):
        assert exercise.name.startswith(f"{name}/")
        assert exercise.kind in ("by hand", "implement", "predict", "open")
        assert exercise.difficulty in (1, 2, 3)
        assert 5 <= exercise.minutes <= 60
        assert len(exercise.stages) >= 3
