"""The chains of the experiment: what shares a word with what, and what a pair can know."""

import numpy as np

from minitx.experiments.encoder.mspp import (
    CANDIDATES,
    ONE_LINK,
    TWO_LINKS,
    WRONG,
    accuracy,
    as_pairs,
    model,
    texts,
)

IDS, WHICH = texts(211, np.random.default_rng(0))


def sentences(row):
    """The words of the pivot and of each kind of candidate, as sets."""
    found = {kind: set(IDS[row, 1 + place, 1:]) for place, kind in enumerate(WHICH[row])}
    return set(IDS[row, 0, 1:]), [found[kind] for kind in range(CANDIDATES)]


def test_chains_share_the_words_that_they_should():
    for row in range(211):
        pivot, (one, two, other, another) = sentences(row)
        assert len(pivot & one) == len(one & two) == len(other & another) == 1
        assert not pivot & two
        assert not (pivot | one | two) & (other | another)
        assert (IDS[row, :, 0] == 0).all() and (IDS[row, :, 1:] > 0).all()
    assert (ONE_LINK, TWO_LINKS, WRONG) == (0, 1, 2)


def test_a_pair_with_two_links_is_like_a_wrong_pair():
    """How often each place of the pivot has the word of each place of the candidate."""
    pairs, which = as_pairs(*texts(2000, np.random.default_rng(1)))
    pairs, which = pairs[:, :, 1:], which[:, 0]
    same = pairs[:, 0, :, None] == pairs[:, 1, None, :]
    assert not same[which != ONE_LINK].any()
    assert (same[which == ONE_LINK].sum((1, 2)) == 1).all()
    for kind in (TWO_LINKS, WRONG):  # and each word is as frequent in one as in the other
        share = np.bincount(pairs[which == kind, 1].ravel())[1:] / (2 * (which == kind).sum())
        np.testing.assert_allclose(share, 1 / len(share), atol=0.015)


def test_pairs_are_the_pivot_and_each_candidate():
    pairs, which = as_pairs(IDS, WHICH)
    assert pairs.shape == (211 * CANDIDATES, 2, IDS.shape[-1]) and which.shape == (len(pairs), 1)
    assert (pairs[6, 0] == IDS[1, 0]).all() and (pairs[6, 1] == IDS[1, 3]).all()
    assert which[6, 0] == WHICH[1, 2]


def test_accuracy_of_a_constant_answer_is_a_half_and_of_the_truth_is_one():
    class Always:
        def __init__(self, logits):
            self.logits = logits

        def __call__(self, ids):
            return self

        def numpy(self):
            return self.logits[..., None]

    for logits in (np.ones(WHICH.shape), -np.ones(WHICH.shape)):
        assert accuracy(Always(logits), IDS, WHICH, TWO_LINKS) == 0.5
    truth = np.where(WHICH < WRONG, 1.0, -1.0)
    assert accuracy(Always(truth), IDS, WHICH, TWO_LINKS) == 1
    assert accuracy(Always(-truth), IDS, WHICH, ONE_LINK) == 0


def test_queries_begin_as_keys():
    student = model(1, np.random.default_rng(0))
    weight = student.encoder.depth.blocks[1].sublayers[0].qkv.weight.numpy()
    queries, keys, values = np.split(weight, 3)
    assert (queries == keys).all() and not np.allclose(queries, values)
