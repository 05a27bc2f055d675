"""What is worked out by hand, or predicted, is asked again with the numbers of a term."""

import math
import shutil

import numpy as np
import pytest

from exercises.course import make
from exercises.course.grading.judge import asked_again
from exercises.course.grading.texts import plain, texts
from exercises.course.grading.variants import Again, encoder, training, variants
from exercises.course.grading.variants.again import alike
from minitx.checks import CHAPTERS, chapter
from tests.teach.test_grading import grade, heavy

AGAIN = [it for page in CHAPTERS for it in chapter(page) if isinstance(variants(it.name), Again)]
SEEDS = range(10)
PAGES = ["autograd", "training"]


@pytest.mark.parametrize("exercise", AGAIN, ids=str)
def test_the_answer_of_the_solution_is_computed_from_the_numbers_of_the_book(exercise, answers):
    again = variants(exercise.name)
    solution = answers(exercise.name.partition("/")[0])[exercise.answer]
    assert alike(solution(), plain(again.answer(*again.book)))


@pytest.mark.parametrize("exercise", AGAIN, ids=str)
def test_each_term_has_numbers_of_its_own_and_the_answer_of_the_book_is_wrong(exercise, answers):
    again = variants(exercise.name)
    book = answers(exercise.name.partition("/")[0])[exercise.answer]
    asked = {}
    for seed in SEEDS:
        numbers = again.numbers(exercise.name, seed)
        want = plain(again.answer(*numbers))
        question = asked_again(exercise, want)
        assert question.report(lambda want=want: want).points == 2
        assert question.report(book).points == 0
        asked[again.text(*numbers)] = want
    assert len(asked) > 6
    assert len({repr(want) for want in asked.values()}) > 2
    assert all(len(text.splitlines()) <= 25 and "{{" not in text for text in asked)


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_same_seed_asks_with_the_same_numbers(page):
    assert texts(page, 3) == texts(page, 3)


def test_the_numbers_that_show_the_form_are_no_answer():
    for seed in range(50):
        for name, example in (("looped/by_hand", "5 / 7"), ("encoder_decoder/by_hand", "2 / 7")):
            numbers = variants(name).numbers(name, seed)
            assert f"`{example}`" in variants(name).text(*numbers)
            top, under = map(int, example.split(" / "))
            answer = np.concatenate([np.ravel(part) for part in variants(name).answer(*numbers)])
            assert not np.isclose(answer, top / under).any()
        name = "autograd/difference"
        numbers = variants(name).numbers(name, seed)
        assert "`-5, -9`" in variants(name).text(*numbers)
        assert tuple(variants(name).answer(*numbers)) != (-5, -9)


def test_no_run_of_gradient_descent_is_near_an_edge():
    for rate, momentum in training.RUNS:
        for edge in ((1 - momentum**0.5) ** 2, 2 * (1 + momentum)):
            assert max(rate / edge, edge / rate) > 1.199


def test_no_share_of_facts_is_near_a_limit():
    """Measured with whole vectors, which the question does without."""
    rng = np.random.default_rng(1)
    for seed in range(8):
        width, *counts = variants("encoder/prediction").numbers("encoder/prediction", seed)
        for count, word in zip(counts, encoder.facts(width, *counts)):
            fact, other = rng.standard_normal((2, 1000, width), np.float32)
            kept = fact + np.sqrt(count - 1) * other
            noise = np.linalg.norm(kept, axis=1) * rng.normal(size=(15, 1000))
            share = ((kept * fact).sum(axis=1) > noise.max(axis=0)).mean()
            assert min(abs(share - 0.9), abs(share - 0.16)) > 0.02
            assert word == encoder.word(share)


def test_a_question_that_only_the_book_can_ask_is_refused():
    stuck = Again(lambda rng: (2,), str, lambda n: n, (2,))
    with pytest.raises(ValueError, match="p/e: 100 draws"):
        stuck.numbers("p/e", 1)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ((1, 2.0), [1.0, 2]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (1 / 3 + 1e-12, 1 / 3),
        ([["a"], ("b", 3)], (("a",), ["b", 3])),
        (np.bool_(True), True),
        (np.float64(5), 5),
    ],
)
def test_answers_that_say_the_same_are_alike(got, want):
    assert alike(got, want)


KNOT = []
KNOT.append(KNOT)


@pytest.mark.parametrize(
    "got",
    [
        None,
        "copy",
        ["copy", 0.25],
        ["view", 0.25, 1],
        ["view"],
        ["view", "0.25"],
        ["view", 0.2501],
        ["view", [0.25]],
        ["view", math.nan],
        ["view", None],
        ["view", 1j],
        [["view"], 0.25],
        [True, 0.25],
        {"view": 0.25},
        np.array(["view", "0.25"]),
        np.array(0.25),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        KNOT,
        object(),
    ],
    ids=lambda got: type(got).__name__,
)
def test_whatever_else_comes_back_earns_nothing_and_hears_no_answer(got):
    report = asked_again(chapter("start")[0], ["view", 0.25]).report(lambda: got)
    assert (report.points, report.total) == (0, 2)
    assert "numbers of this term" in report.message
    if "view" not in repr(got):
        assert "view" not in report.message


def test_a_rounded_answer_is_told_that_it_is_one():
    report = asked_again(chapter("start")[0], [1 / 3, 2]).report(lambda: (0.333, 2))
    assert report.points == 0
    assert "write fractions" in report.message


@pytest.fixture(scope="module")
def two_terms(course, tmp_path_factory):
    """Two courses of the same pages by two seeds."""
    folder, wheel = tmp_path_factory.mktemp("terms"), next((course / "student").glob("*.whl"))
    for seed in (7, 8):
        make.make(make.Order("t", PAGES, seed), folder / f"{seed}", wheel)
    return folder / "7", folder / "8"


def test_another_seed_changes_the_numbers_in_the_text_and_nothing_else(two_terms):
    for page in PAGES:
        for name in (f"student/{page}.py", f"student/{page}.ipynb", f"teacher/solutions/{page}.py"):
            one, other = ((term / name).read_text("utf8").splitlines() for term in two_terms)
            differ = [pair for pair in zip(one, other) if pair[0] != pair[1]]
            assert 2 <= len(differ) < 40
            assert len(one) == len(other)
        one = (two_terms[0] / f"student/{page}.py").read_text("utf8")
        assert one.count("_again():") == one.count("(this term)") == 2
        assert one.count("    raise NotImplementedError\n") == len(chapter(page)) + 2


def fill_terms(inbox, two_terms):
    """Right; without the new functions; the book's answers; those of another term; stubs."""
    again = ("by_hand", "prediction")
    copied = "".join(f"\n\ndef {name}_again():\n    return {name}()\n" for name in again)
    right = {page: (two_terms[0] / f"teacher/solutions/{page}.py").read_text() for page in PAGES}
    work = {
        "right": right,
        "without": {p: f"{t}\n\ndel by_hand_again, prediction_again\n" for p, t in right.items()},
        "book": {page: text + copied for page, text in right.items()},
    }
    for student, files in work.items():
        (inbox / student).mkdir(parents=True)
        for page, text in files.items():
            (inbox / student / f"{page}.py").write_text(text, "utf8")
    shutil.copytree(two_terms[1] / "teacher/solutions", inbox / "another term")
    return inbox


def test_only_the_numbers_of_this_term_earn_its_points(two_terms, tmp_path):
    inbox = fill_terms(tmp_path / "inbox", two_terms)
    rows = grade(two_terms[0] / "teacher", inbox, tmp_path / "out", "--jobs", "2")
    full = int(rows["right"]["out of"])
    assert full == sum(it.points + 2 for page in PAGES for it in chapter(page))
    assert int(rows["right"]["total"]) == full
    names = [name for name in rows["right"] if name.endswith("_again")]
    assert len(names) == 4
    for student in ("without", "book", "another term"):
        assert {rows[student][name] for name in names} == {"0"}, student
        assert int(rows[student]["total"]) == full - 8, student
    assert "not found: autograd/by_hand_again" in rows["without"]["remarks"]
    page = (tmp_path / "out/feedback/book.html").read_text("utf8")
    assert "Expected what the numbers of this term give" in page


ENDLESS = """

def by_hand_again():
    while True:
        pass


def prediction_again():
    import os
    os._exit(0)
"""


@heavy
def test_a_new_function_that_ends_the_process_costs_no_more_than_itself(two_terms, tmp_path):
    right = (two_terms[0] / "teacher/solutions/training.py").read_text("utf8")
    stub = right + "\n\ndef by_hand():\n    raise NotImplementedError\n"
    for student, text in (("endless", right + ENDLESS), ("stub", stub)):
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "training.py").write_text(text, "utf8")
    rows = grade(two_terms[0] / "teacher", tmp_path / "in", tmp_path / "out", "--jobs", "2")
    points = {it.name: it.points for it in chapter("training")}
    full = sum(points.values()) + 2 * len(points)
    assert int(rows["endless"]["total"]) == full - 4
    assert "had to be stopped: training/by_hand_again" in rows["endless"]["remarks"]
    assert int(rows["stub"]["total"]) == full - points["training/by_hand"]
    assert rows["stub"]["training/by_hand_again"] == "2"
