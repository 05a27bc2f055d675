"""The pieces of CascadeXML's experiment: the world of labels, the tree made of words, scores."""

import numpy as np

from minitx.experiments.encoder.cascadexml import (
    BRANCHING,
    KEPT,
    LABELS,
    LENGTH,
    MOST,
    Cascade,
    World,
    balanced_order,
    cascade_scores,
    encoder,
    label_features,
)

RNG = np.random.default_rng(0)
WORLD = World(np.random.default_rng(1))
TEXTS = WORLD.texts(3000, np.random.default_rng(2))


def test_words_are_those_of_the_labels():
    for ids, truth in zip(TEXTS.ids[:97], TEXTS.truth[:97]):
        assert ids[0] == 0 and len(ids) == LENGTH + 1
        assert set(ids[1:]) <= set(WORLD.words[truth].ravel())
    assert set(TEXTS.truth.sum(1)) == set(range(1, MOST + 1))


def test_a_few_labels_are_said_often():
    counts = np.sort(TEXTS.truth.sum(0))[::-1]
    assert counts[0] > 8 * counts[LABELS // 2]
    said = TEXTS.truth.sum(0).argsort()[::-1][:10]
    assert len(set(said) & set(WORLD.chances.argsort()[::-1][:20])) == 10


def test_clusters_that_are_far_apart_are_found():
    kinds = RNG.permutation(np.arange(32) % 8)
    bits = kinds[:, None] // [4, 2, 1] % 2
    features = bits * [100.0, 10.0, 1.0] + 0.01 * RNG.standard_normal((32, 3))
    order = balanced_order(features)
    assert sorted(order) == list(range(32))
    assert all(len(set(four)) == 1 for four in kinds[order].reshape(8, 4))


def test_labels_that_share_words_hang_together():
    order = balanced_order(label_features(TEXTS))
    shared = WORLD.words[:, 6:]

    def alike(labels):
        """How often neighbours among the leaves are of one kind."""
        return np.mean([(shared[a] == shared[b]).all() for a, b in labels.reshape(-1, 2)])

    assert alike(order) > 3 * alike(RNG.permutation(LABELS))


def test_few_labels_get_a_score():
    rng = np.random.default_rng(3)
    model = Cascade(encoder(rng), rng)
    scores, looked_at = cascade_scores(model, TEXTS.ids[:5])
    assert (looked_at.sum(1) == KEPT * BRANCHING[-1]).all()
    whole = model.tree.log_scores(model.features(TEXTS.ids[:5])).numpy()
    np.testing.assert_allclose(scores[looked_at], whole[looked_at], atol=1e-5)
