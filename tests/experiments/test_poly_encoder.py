"""The task of the poly-encoder's experiment: what is right, what is wrong, what models read."""

import numpy as np

from minitx.experiments.encoder.poly_encoder import (
    CANDIDATES,
    FACTS,
    TOPICS,
    VALUES,
    apart,
    as_text,
    asked,
    facts,
    loss_apart,
    pairs,
    recall,
    segments,
)


def test_only_the_first_candidate_is_true_and_all_are_about_the_topics():
    rng = np.random.default_rng(0)
    topics, values = facts(53, rng)
    about, said = asked(topics, values, rng)
    assert all(len(set(row)) == FACTS for row in topics)
    for b in range(53):
        known = dict(zip(topics[b], values[b]))
        right = [known[t] == v for t, v in zip(about[b], said[b])]
        assert right == [True] + [False] * (CANDIDATES - 1)


def test_every_fact_has_a_token_of_its_own():
    topics, values = (x.ravel() for x in np.indices((TOPICS, VALUES)))
    ids = as_text(topics, values)
    assert ids[0] == 0 and sorted(ids[1:]) == list(range(1, 1 + TOPICS * VALUES))


def test_pairs_are_the_context_and_then_one_candidate():
    topics, values = facts(3, np.random.default_rng(1))
    ids = pairs(topics, values, np.random.default_rng(2))
    about, said = asked(topics, values, np.random.default_rng(2))
    assert ids.shape == (3, CANDIDATES, 1 + FACTS + 2)
    assert (ids[:, :, : 1 + FACTS] == as_text(topics, values)[:, None]).all()
    assert (ids[:, :, -1] == 1 + about * VALUES + said).all()
    assert segments(ids)[0, 0].tolist() == [0] * (1 + FACTS) + [1, 1]


def test_a_model_that_knows_nothing_recalls_by_chance_and_learns():
    rng = np.random.default_rng(3)
    model = apart(8, rng)
    assert abs(recall(model, 0, 400) - 1 / CANDIDATES) < 0.06
    loss = loss_apart(model, rng)
    loss.backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in [model.codes])
