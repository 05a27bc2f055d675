"""The searches that judge readers find the same as the package."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.checks.encoder_decoder.by_hand import FIRST, SECOND
from minitx.checks.encoder_decoder.oracle import beam, best, fixed_tree, random_tree, texts
from minitx.checks.encoder_decoder.prediction import CHANCES, found_length
from minitx.inference.beam import beam_search

START = 9


class Table:
    """A tree as a model: the state is what has been written in each row."""

    def __init__(self, tree):
        self.tree = tree

    def init_state(self, batch):
        return Rows([[] for _ in range(batch)])

    def step(self, ids, state):
        written = [[*text, *row] for text, row in zip(state, np.asarray(ids).tolist(), strict=True)]
        logits = np.array([self.tree(text[1:]) for text in written])
        return Tensor(logits[:, None], dtype=np.float64), Rows(written)


class Rows(list):
    def take(self, rows):
        return Rows([list(self[row]) for row in rows])


@pytest.mark.parametrize("width", [1, 2, 5, 81])
def test_a_beam_is_the_package_s_beam(width):
    rng = np.random.default_rng(2)
    for _ in range(7):
        tree = random_tree(rng, 3, 4)
        found, scores = beam_search(Table(tree), [START], 4, width, stop=2)
        mine = beam(tree, width, 2, 4)
        assert (found[0], pytest.approx(scores[0])) == best(mine)
        if width == 81:
            assert mine == texts(tree, 2, 4)
            assert {tuple(text) for text in found} == set(mine)


def test_all_texts_have_probabilities_that_add_up_to_one():
    every = texts(random_tree(np.random.default_rng(0), 3, 5), 2, 5)
    assert np.exp(list(every.values())).sum() == pytest.approx(1)


def test_the_pencil_s_tree_has_three_answers():
    assert FIRST.sum() == pytest.approx(1)
    np.testing.assert_allclose(SECOND.sum(axis=1), 1)
    tree = fixed_tree(FIRST, SECOND)
    found = [np.exp(best(beam(tree, width, None, 2))[1]) for width in (1, 2, 3)]
    np.testing.assert_allclose(found, [1 / 20, 3 / 20, 1 / 5])
    assert best(beam(tree, 3, None, 2)) == best(texts(tree, None, 2))


@pytest.mark.parametrize(("width", "penalty", "length"), [(1, 0.0, 8), (2, 0.0, 1), (2, 1.0, 8)])
def test_the_prediction_is_what_the_package_finds(width, penalty, length):
    assert found_length(width, penalty) == length
    model = Table(lambda text: np.log(CHANCES))
    (text, *_), _ = beam_search(model, [START], 8, width, stop=3, length_penalty=penalty)
    assert len(text) == length
