"""The pieces of the linear chapter's experiments: oracles by hand, and runs cut short."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.experiments import language, timing
from minitx.experiments.linear import galerkin, linear_transformer, supra, transnormer
from minitx.token_mixers import SUPRA


def test_the_slope_of_a_power_is_its_exponent():
    at = np.array([10, 20, 80])
    assert linear_transformer.slope(3 * at**1.5, at) == pytest.approx(1.5)
    taken = np.repeat([1.0, 5.0], 100)
    taken[150] = 99  # one step that the machine was busy with something else
    assert linear_transformer.at_places(taken, np.array([50, 150])).tolist() == [1, 5]


def test_programs_that_are_timed_take_turns():
    order = []
    taken = timing.seconds(lambda: order.append("a"), lambda: order.append("b"), runs=3)
    assert "".join(order) == "ababab"
    assert [len(runs) for runs in taken] == [3, 3] and min(map(min, taken)) >= 0


def test_a_cache_grows_and_a_state_does_not():
    _, state = linear_transformer.seconds_per_token("linear", 20, batch=2)
    _, cache = linear_transformer.seconds_per_token("softmax", 20, batch=2)
    heads, d = language.HEADS, language.D // language.HEADS
    assert state == [2 * heads * d * (d + 1)] * 20
    assert cache == [2 * 2 * language.D * (t + 1) for t in range(20)]


def test_questions_are_answered_by_their_pairs():
    keys, values, answers = linear_transformer.questions(7, np.random.default_rng(0))
    pairs, none = linear_transformer.PAIRS, linear_transformer.VALUES
    assert (values[:, :pairs] < none).all() and (values[:, pairs:] == none).all()
    for row in range(7):
        held = dict(zip(keys[row, :pairs], values[row], strict=False))
        assert len(held) == pairs
        assert [held[key] for key in keys[row, pairs:]] == answers[row].tolist()


def test_recall_starts_at_chance():
    assert abs(linear_transformer.recall_accuracy("linear", steps=10) - 1 / 16) < 0.1


def test_sines_are_orthonormal_on_midpoints():
    q = galerkin.sines(galerkin.midpoints(64), 5)
    np.testing.assert_allclose(q.T @ q / 64, np.eye(5), atol=1e-12)


def test_the_operators_see_the_circle_and_keep_the_shape():
    start, end = galerkin.examples()
    assert start.shape == end.shape == (200, galerkin.POINTS)
    np.testing.assert_allclose(start.mean(1), 0, atol=1e-12)
    rng = np.random.default_rng(0)
    for make in galerkin.MIXERS.values():
        model = galerkin.Operator(make, rng)
        y = model(Tensor(start[:3])).numpy()
        assert y.shape == (3, galerkin.POINTS)
        turned = model(Tensor(np.roll(start[:3], 5, axis=1))).numpy()
        assert np.abs(turned - np.roll(y, 5, axis=1)).max() > 1e-6  # a point knows its place


def test_the_relative_error_is_a_mean_of_ratios():
    wanted = Tensor([[3.0, 4.0], [0.0, 2.0]])
    found = Tensor([[3.0, 4.0], [0.0, 3.0]])
    assert galerkin.relative_error(found, wanted).item() == pytest.approx(0.25)


def test_near_counts_what_is_within_reach():
    even = np.ones((1, 1, 9, 9))
    expected = [3, 4, 5, 5, 5, 5, 5, 4, 3]
    np.testing.assert_allclose(transnormer.near(even, 2)[0, 0], np.array(expected) / 9)


def test_steepness_follows_the_closed_form():
    found, rng = transnormer.steepness(3), np.random.default_rng(3)
    s = rng.uniform(0.02, 1, 24) / 24
    p = s / s.sum()
    slopes = np.abs(np.eye(24) - p[:, None]) / s.sum()
    assert found.scaled[0] == pytest.approx(slopes.max())
    z = np.exp(s) / np.exp(s).sum()
    assert found.softmax[0] == pytest.approx((z * (1 - z)).max())
    assert (np.diff(found.normed) > 0).all()  # it grows too, until sqrt(eps) holds it


def test_a_softmax_tells_keys_apart_and_a_small_matrix_does_not():
    keys = values = np.eye(4)
    assert supra.looked_up(keys, values) == supra.looked_up(keys, values, 100.0) == 1
    double = np.concatenate([keys, keys])
    assert supra.looked_up(double, supra.unit(np.random.default_rng(0), 8, 4)) <= 0.5


def test_training_follows_its_seed_and_a_copy_is_linear():
    model, again = (supra.teacher(np.random.default_rng(4)) for _ in range(2))
    run = language.train(model, 3, seed=5)
    assert run.losses.shape == run.norms.shape == (3,) and (run.norms > 0).all()
    np.testing.assert_array_equal(run.losses, language.train(again, 3, seed=5).losses)
    other = language.train(supra.teacher(np.random.default_rng(4)), 3, seed=6)
    assert (run.losses != other.losses).any()
    copy = supra.linearised(model)
    assert all(type(block.sublayers[0]) is SUPRA for block in copy.depth.blocks)
    loss = language.held_out_loss(copy, windows=4)
    assert loss == pytest.approx(np.log(language.text().vocab_size), rel=0.2)
