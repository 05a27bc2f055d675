"""The pieces of the adaptive decoder's experiment: its task, its ranks, runs cut short."""

import numpy as np
import pytest

from minitx.experiments.looped import depth_adaptive as it


def test_answers_are_look_ups_one_after_the_other():
    batch = it.rows(3, np.random.default_rng(0))
    for row in range(3):
        for t in range(it.LENGTH):
            symbol = batch.symbols[row, t]
            for table in batch.tables[row, t, : batch.hops[row, t]]:
                assert table < it.TABLES
                symbol = it.look_ups()[table][symbol]
            assert symbol == batch.answers[row, t]
            assert (batch.tables[row, t, batch.hops[row, t] :] == it.TABLES).all()


def test_spearman_is_of_ranks_with_ties_shared():
    x, y = np.array([1, 1, 2, 9]), np.array([10, 10, 11, 12])
    assert it.spearman(x, y) == pytest.approx(1)
    assert it.spearman(x, -y) == pytest.approx(-1)
    # ranks 1.5, 1.5, 3, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5)
    assert it.spearman(x, np.arange(4)) == pytest.approx(4.5 / np.sqrt(4.5 * 5))


def test_tokens_leave_at_different_depths_where_that_is_compared():
    """The third number of part 1 would mean nothing if all tokens left together."""
    rng = np.random.default_rng(0)
    model, batch = it.Seq2Seq(rng), it.rows(5, rng)
    _, taken = it.written(model, batch, it.by_a_feature())
    assert len(np.unique(taken)) >= 3


def test_the_target_is_read_through_the_source():
    model = it.Seq2Seq(np.random.default_rng(0))
    batch = it.rows(2, np.random.default_rng(1))
    first = model.exits(batch).numpy()
    other = batch._replace(symbols=(batch.symbols + 1) % it.SYMBOLS)
    assert first.shape == (it.MOST, 2, it.LENGTH, it.SYMBOLS)
    assert np.abs(model.exits(other).numpy() - first).max() > 1e-3
