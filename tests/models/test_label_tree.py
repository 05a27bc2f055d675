"""A tree of labels: following every branch is scoring every label, and the metrics by loop."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.models import Encoder
from minitx.models.label_metrics import best, precision_at, propensity_scored_precision_at
from minitx.models.label_tree import CascadeXML, LabelTree

RNG = np.random.default_rng(0)
B, D, BRANCHING = 5, 6, (3, 4, 2)
L = 24


def tree_and_features():
    tree = LabelTree(D, BRANCHING, rng=0).to(np.float64)
    for bias in tree.biases:
        bias.assign(RNG.standard_normal(bias.shape))
    return tree, [Tensor(RNG.standard_normal((B, D)), dtype=np.float64) for _ in BRANCHING]


def test_a_score_is_the_product_along_the_path():
    tree, features = tree_and_features()
    found = tree.log_scores(features).numpy()
    for label in range(L):
        product = np.ones(B)
        for level, node in enumerate((label // 8, label // 2, label)):
            w, b = tree.vectors[level].numpy()[node], tree.biases[level].numpy()[node]
            product /= 1 + np.exp(-(features[level].numpy() @ w + b))
        np.testing.assert_allclose(found[:, label], np.log(product), atol=1e-12)


def test_a_shortlist_has_the_children_of_the_best():
    tree, features = tree_and_features()
    levels = tree(features, k=2)
    assert [short.labels.shape for short in levels] == [(B, 3), (B, 8), (B, 4)]
    for above, below, b in zip(levels[:-1], levels[1:], BRANCHING[1:], strict=True):
        for row in range(B):
            order = np.argsort(-above.log_scores.numpy()[row])[:2]
            expected = {b * node + i for node in above.labels[row, order] for i in range(b)}
            assert set(below.labels[row]) == expected
    whole = tree.log_scores(features).numpy()
    expected = np.take_along_axis(whole, levels[-1].labels, axis=1)
    np.testing.assert_allclose(levels[-1].log_scores.numpy(), expected, atol=1e-12)


def test_true_labels_are_followed_however_badly_they_score():
    tree, features = tree_and_features()
    truth = np.zeros((B, L), bool)
    worst = tree.log_scores(features).numpy().argmin(1)
    truth[np.arange(B), worst] = True
    short = tree(features, 1, truth)[-1].labels
    assert all(worst[row] in short[row] for row in range(B))
    assert not all(worst[row] in tree(features, 1)[-1].labels[row] for row in range(B))


def test_the_loss_by_loop():
    tree, features = tree_and_features()
    truth = RNG.random((B, L)) < 0.2
    expected = 0.0
    for level, short in enumerate(tree(features, 2, truth)):
        for row in range(B):
            for node, logit in zip(short.labels[row], short.logits.numpy()[row], strict=True):
                width = L // tree.sizes[level]
                true = truth[row, node * width : (node + 1) * width].any()
                expected += np.log1p(np.exp(-logit if true else logit)) / B
    assert tree.loss(features, truth, 2).item() == pytest.approx(expected, abs=1e-10)


def test_each_level_reads_its_layer():
    encoder = Encoder.bert(11, D, 2, 3, max_length=7, num_segments=0, rng=0)
    ids = RNG.integers(11, size=(B, 7))
    last = encoder(ids).numpy()[:, 0]
    model = CascadeXML(encoder, (3, 4), layers=(1, 3), rng=0)
    first, second = model.features(ids)
    np.testing.assert_allclose(second.numpy(), last, atol=1e-6)
    assert np.abs(first.numpy() - last).max() > 1e-3
    model.loss(ids, RNG.random((B, 12)) < 0.3, 3).backward()
    used = [p for p in model.parameters() if p.grad is not None]
    assert len(used) == len(model.parameters())


def test_errors_name_what_was_given():
    with pytest.raises(ValueError, match=r"branching of 1 or more a level, got \(3, 0\)"):
        LabelTree(D, (3, 0))
    tree, features = tree_and_features()
    with pytest.raises(ValueError, match="expected 3 features, got 2"):
        tree(features[:2], 2)
    encoder = Encoder.bert(11, D, 2, 2, max_length=7, rng=0)
    with pytest.raises(ValueError, match="a layer for each of 2 levels"):
        CascadeXML(encoder, (3, 4), layers=(1,))
    with pytest.raises(ValueError, match="k of 1 to 4, got 5"):
        best(np.zeros((2, 4)), 5)


def test_metrics_by_loop():
    truth, scores = RNG.random((13, 9)) < 0.3, RNG.random((13, 9))
    truth[:, 0] |= ~truth.any(1)
    worth = RNG.uniform(0.1, 1, 9)
    hits = earned = most = 0.0
    for row in range(13):
        for label in sorted(range(9), key=lambda j: -scores[row, j])[:3]:
            hits += truth[row, label]
            earned += truth[row, label] / worth[label]
        most += sum(sorted(truth[row] / worth)[-3:])
    assert precision_at(scores, truth, 3) == pytest.approx(hits / 39)
    found = propensity_scored_precision_at(scores, truth, worth, 3)
    assert found == pytest.approx(earned / most)
