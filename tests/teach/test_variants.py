"""The questions that a term adds: another seed is another set of numbers and sizes."""

import warnings

import numpy as np
import pytest

from exercises.course.grading.judge import POINTS, with_variant
from exercises.course.grading.variants import Again, sizes, variants
from minitx.checks import CHAPTERS, chapter
from minitx.checks.limits import TimeUp, time_limit
from minitx.checks.mutants import mutants

ASKING = [
    it for name in CHAPTERS for it in chapter(name) if callable(variants(it.name))
]  # what computes: for the others see test_again.py


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_exercise_can_be_issued_with_other_numbers(page):
    found = {it.name: variants(it.name) for it in chapter(page)}
    assert [name for name, added in found.items() if added is None] == []
    again = {it.name for it in chapter(page) if it.kind in ("by hand", "predict")}
    assert again <= {name for name, added in found.items() if isinstance(added, Again)}


def fails(ask, answer, solution, seed):
    """Whether the question finds a mistake, an endless one by its time as in grading."""
    try:
        with warnings.catch_warnings(), time_limit(2):
            warnings.simplefilter("ignore")
            ask(answer, solution, np.random.default_rng(seed))
    except (Exception, TimeUp):
        return True
    return False


@pytest.mark.parametrize("exercise", ASKING, ids=str)
def test_solutions_hold_whatever_the_seed_and_some_mistake_does_not(exercise, answers):
    page = exercise.name.partition("/")[0]
    solution = answers(page)[exercise.answer]
    ask = variants(exercise.name)
    for seed in range(5):
        ask(solution, solution, np.random.default_rng(seed))
    mistakes = [it.answer for it in mutants(page) if it.exercise is exercise]
    caught = sum(fails(ask, mistake, solution, 7) for mistake in mistakes)
    assert caught > len(mistakes) / 2


def numbers(value):
    """Everything in a question that can be compared: bits of arrays, numbers and words."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, list | tuple):
        return [numbers(part) for part in value]
    return value if isinstance(value, int | float | str) else None


@pytest.mark.parametrize("exercise", ASKING, ids=str)
def test_another_seed_asks_with_other_numbers(exercise, answers):
    solution = answers(exercise.name.partition("/")[0])[exercise.answer]
    asked = []

    def watched(*arguments):
        asked[-1].append(numbers(arguments))
        return solution(*arguments)

    for seed in (1, 2, 1):
        asked.append([])
        rng, ask = np.random.default_rng(seed), variants(exercise.name)
        before = rng.bit_generator.state
        ask(watched, solution, rng)
        assert rng.bit_generator.state != before
    assert asked[0] == asked[2]
    # Some return something to be run, and it is this that meets the numbers.
    assert asked[0] != asked[1] or not any(asked[0][0])


def test_the_question_is_one_more_and_leaves_the_check_as_it_was(answers):
    exercise = next(it for it in ASKING if it.name == "attention/masks")
    before = len(exercise.stages)
    (more,) = with_variant(exercise, answers("attention"))
    assert (len(exercise.stages), len(more.stages)) == (before, before + 1)
    assert more.points == exercise.points + POINTS
    report = more.report(answers("attention")["masked_attention"], seed=3, every=True)
    assert report.passed


def test_sizes_are_pairwise_different():
    for seed in range(50):
        found = sizes(np.random.default_rng(seed), 5)
        assert len(set(found)) == 5
        assert min(found) >= 2
