"""Schedules, clipping and running means."""

import math

import numpy as np
import pytest

from minitx import Tensor, nn, training
from minitx import functional as F
from minitx.training import schedules


def test_warm_up():
    up = schedules.warm_up(4)
    assert [up(step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_cosine_and_linear():
    down = schedules.cosine(10, end=0.2)
    assert [down(0), down(10), down(11)] == pytest.approx([1, 0.2, 0.2])
    assert down(5) == pytest.approx(0.6)
    assert [schedules.linear(4, 0.5)(step) for step in range(6)] == [
        1,
        0.875,
        0.75,
        0.625,
        0.5,
        0.5,
    ]


def test_steps_and_roots():
    assert [schedules.step_decay(2, 0.5)(step) for step in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    root = schedules.inverse_root(4)
    assert [root(0), root(3), root(15)] == [0.25, 1, 0.5]


def test_schedules_multiply_and_follow_each_other():
    both = schedules.warm_up(2) * schedules.constant(0.5)
    assert [both(step) for step in range(3)] == [0.25, 0.5, 0.5]
    following = schedules.warm_up(2).then(2, schedules.linear(2))
    assert [following(step) for step in range(5)] == [0.5, 1, 1, 0.5, 0]
    combined = schedules.warm_up_cosine(2, 12, end=0.1)
    assert [combined(0), combined(2), combined(7), combined(12)] == pytest.approx(
        [0.5, 1, 0.55, 0.1]
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: schedules.warm_up(0),
        lambda: schedules.cosine(-1),
        lambda: schedules.warm_up_cosine(5, 5),
        lambda: schedules.cosine(3)(-1),
        lambda: training.clip_norm([], 0),
        lambda: training.clip_value([], math.nan),
        lambda: training.EMA(nn.Linear(2, 3, rng=0), decay=1.0),
    ],
)
def test_what_is_out_of_range_is_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_clipping_the_norm_keeps_the_direction():
    a, b = nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros((1, 1)))
    a.grad, b.grad = Tensor([3.0, 4.0]), Tensor([[12.0]])
    assert training.clip_norm([a, b], 26) == 13
    np.testing.assert_array_equal(a.grad.numpy(), [3, 4])
    assert training.clip_norm([a, b], 6.5) == 13
    np.testing.assert_array_equal(a.grad.numpy(), [1.5, 2])
    np.testing.assert_array_equal(b.grad.numpy(), [[6]])
    assert training.global_norm([a, b]) == 6.5
    assert training.clip_norm([nn.Parameter(np.zeros(2))], 1) == 0


def test_a_norm_that_is_not_finite_is_told_and_changes_nothing():
    a = nn.Parameter(np.zeros(2))
    a.grad = Tensor([1.0, np.inf])
    assert training.clip_norm([a], 1) == math.inf
    np.testing.assert_array_equal(a.grad.numpy(), [1, np.inf])


def test_running_means_against_loops():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm(3)).to(np.float64)
    mean = training.EMA(model, decay=0.8)
    expected = model[0].weight.numpy().tolist()
    for step in range(5):
        model[0].weight.assign(np.random.default_rng(step).standard_normal((3, 2)))
        model[1].running_mean.assign(np.full(3, step))
        mean.update()
        expected = 0.8 * np.array(expected) + 0.2 * model[0].weight.numpy()
    np.testing.assert_allclose(mean.means["0.weight"], expected, rtol=1e-12)
    np.testing.assert_array_equal(mean.means["1.running_mean"], [4, 4, 4])


def test_running_means_are_applied_for_a_while():
    model = nn.Linear(2, 3, rng=0)
    optimiser = training.SGD(model.parameters(), lr=0.1)
    mean = training.EMA(model, decay=0.5)
    F.sum(model(Tensor(np.ones((1, 2))))).backward()
    optimiser.step()
    mean.update()
    now = model.weight.numpy().copy()
    with mean.applied():
        np.testing.assert_allclose(model.weight.numpy(), now + 0.05, rtol=1e-5)
    np.testing.assert_array_equal(model.weight.numpy(), now)
    assert model.weight.data is optimiser.groups[0].flats[0].views[0]


def test_running_means_warm_up_and_state():
    model = nn.Linear(2, 3, rng=0).to(np.float64)
    mean = training.EMA(model, decay=0.99, warm_up=True)
    start = model.weight.numpy().copy()
    model.weight.assign(np.zeros((3, 2)))
    mean.update()
    np.testing.assert_allclose(mean.means["weight"], start * 2 / 11, rtol=1e-12)
    other = training.EMA(model, decay=0.99, warm_up=True)
    other.load_state_dict(mean.state_dict(), mean.count)
    mean.update()
    other.update()
    np.testing.assert_array_equal(mean.means["weight"], other.means["weight"])
    with pytest.raises(ValueError, match=r"do not fit Linear: \[\('bias'"):
        other.load_state_dict({"weight": start})
