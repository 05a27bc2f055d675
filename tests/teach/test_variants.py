"""The questions that a term adds: another seed is another set of numbers and sizes."""

import numpy as np
import pytest

from exercises.course.grading.judge import POINTS, with_variant
from exercises.course.grading.variants import shown, sizes, variants
from minitx.checks import CHAPTERS, chapter
from minitx.checks.mutants import mutants

WITH = [it for name in CHAPTERS for it in chapter(name) if variants(it.name)]


def test_pages_with_variants_have_one_for_all_that_computes():
    for page in ("attention", "positions"):  # elsewhere some exercises have fixed questions only
        computing = {it.name for it in chapter(page) if it.kind in ("implement", "open")}
        assert computing == {it.name for it in WITH if it.name.startswith(f"{page}/")}


@pytest.mark.parametrize("exercise", WITH, ids=str)
def test_solutions_hold_whatever_the_seed_and_some_mistake_does_not(exercise, answers):
    page = exercise.name.partition("/")[0]
    solution = answers(page)[exercise.answer]
    ask = variants(exercise.name)
    for seed in range(30):
        ask(solution, solution, np.random.default_rng(seed))
    mistakes, caught = [it for it in mutants(page) if it.exercise is exercise], 0
    for mistake in mistakes:
        try:
            ask(mistake.answer, solution, np.random.default_rng(7))
        except Exception:
            caught += 1
    assert caught > len(mistakes) / 2


@pytest.mark.parametrize("exercise", WITH, ids=str)
def test_another_seed_asks_for_other_sizes(exercise, answers):
    solution = answers(exercise.name.partition("/")[0])[exercise.answer]
    asked = []

    def watched(*arguments):
        asked[-1].append([shown(argument) for argument in arguments])
        return solution(*arguments)

    for seed in (1, 2, 1):
        asked.append([])
        variants(exercise.name)(watched, solution, np.random.default_rng(seed))
    assert asked[0] == asked[2] != asked[1]


def test_the_question_is_one_more_and_leaves_the_check_as_it_was(answers):
    exercise = next(it for it in WITH if it.name == "attention/masks")
    before = len(exercise.stages)
    more = with_variant(exercise, answers("attention")["masked_attention"])
    assert (len(exercise.stages), len(more.stages)) == (before, before + 1)
    assert more.points == exercise.points + POINTS
    report = more.report(answers("attention")["masked_attention"], seed=3, every=True)
    assert report.passed
    by_hand = next(it for it in chapter("attention") if it.name == "attention/by_hand")
    assert with_variant(by_hand, None) is by_hand


def test_sizes_are_pairwise_different():
    for seed in range(50):
        found = sizes(np.random.default_rng(seed), 5)
        assert len(set(found)) == 5
        assert min(found) >= 2
