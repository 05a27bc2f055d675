"""What happens to model and optimiser outside a captured step, and what it changes in buffers."""

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn, training
from minitx.training.graph import CapturedStep
from tests import standin
from tests.gpu.cases import numbers
from tests.gpu.steps import batches, eagerly, loss_of, made, replayed, same_state, state


def captured():
    model, optimiser = made()
    return model, optimiser, CapturedStep(model, optimiser, loss_of, batches()[0])


def test_weights_that_were_loaded_are_trained(emulated):
    """Of the model alone: the optimiser goes on with its means, as it does without a capture."""
    saved, given = state(made(seed=1)[0]), batches()[1:]
    model, optimiser = made()
    expected = eagerly(model, optimiser, given[:2])
    model.load_state_dict(saved)
    expected += eagerly(model, optimiser, given[2:], start=2)
    other, _, step = captured()
    got = replayed(step, given[:2])
    other.load_state_dict(saved)
    assert got + replayed(step, given[2:], start=2) == expected
    same_state(other, model)


def test_weights_that_were_loaded_before_the_capture_stay(emulated):
    saved = state(made(seed=1)[0])
    model, optimiser = made()
    model.load_state_dict(saved)
    CapturedStep(model, optimiser, loss_of, batches()[0])
    same_state(model, saved)


@pytest.mark.parametrize("saved_after", [1, 3])
def test_a_run_that_was_saved_goes_on(saved_after, emulated):
    """A captured step takes over an earlier run and a later one: weights, means and counts."""
    model, optimiser = made()
    eagerly(model, optimiser, batches()[:saved_after])
    saved, its_state = state(model), optimiser.state_dict()
    its_state["arrays"] = {name: x.copy() for name, x in its_state["arrays"].items()}
    expected = eagerly(model, optimiser, batches()[3:], start=saved_after)
    other, its_optimiser, step = captured()
    replayed(step, batches()[1:3])
    other.load_state_dict(saved)
    its_optimiser.load_state_dict(its_state)
    assert replayed(step, batches()[3:], start=saved_after) == expected
    same_state(other, model)
    assert its_optimiser.state_dict()["counts"] == optimiser.state_dict()["counts"]


def test_ordinary_steps_between_replays(emulated):
    """Means are corrected for all updates that there were, not for the replays alone."""
    given = [*batches()[1:], *batches()[:2]]
    model, optimiser = made()
    expected = eagerly(model, optimiser, given)
    other, its_optimiser, step = captured()
    got = replayed(step, given[:1])
    got += eagerly(other, its_optimiser, given[1:3], start=1)
    got += replayed(step, given[3:5], start=3)
    got += eagerly(other, its_optimiser, given[5:], start=5)
    assert got == expected
    same_state(other, model)


def test_two_captures_of_one_model_take_turns(emulated):
    model, optimiser = made()
    expected = eagerly(model, optimiser, batches()[1:])
    other, its_optimiser, one = captured()
    two = CapturedStep(other, its_optimiser, loss_of, batches()[0])
    turns = zip([one, two, two, one], batches()[1:], strict=True)
    assert [step(x, 1 / (i + 1)).item() for i, (step, x) in enumerate(turns)] == expected
    same_state(other, model)


def test_updates_of_some_parameters_alone_are_refused(emulated):
    """One number on the device says how many updates there were: it cannot say two things."""
    model, optimiser, step = captured()
    first = next(optimiser.parameters())
    F.sum(first * first).backward()
    optimiser.step()
    before = state(model)
    with pytest.raises(RuntimeError, match=r"updated 0 to 1 times, .* capture the step anew"):
        step(batches()[1])
    same_state(model, before)


# ------------------------------------------------------------------ what no optimiser holds


def with_buffers():
    """A model with running means, and a layer that is frozen and left to no optimiser."""
    layers = nn.Linear(3, 5, rng=0), nn.BatchNorm(5), nn.Linear(5, 2, rng=1)
    model = standin.convert(nn.Sequential(*layers))
    layers[0].freeze()
    return model, training.AdamW([*layers[1].parameters(), *layers[2].parameters()], lr=0.01)


def squares(model, batch):
    return F.mean(F.square(model(batch[0])))


def points():
    return [[numbers(7, 3, seed=i).astype(np.float32)] for i in range(5)]


def test_running_means_gather(emulated):
    """A replay goes on from what the last one left in a buffer, and Python sees it there."""
    model, optimiser = with_buffers()
    expected = eagerly(model, optimiser, points()[1:], loss_of=squares)
    other, its_optimiser = with_buffers()
    before = state(other)
    step = CapturedStep(other, its_optimiser, squares, points()[0])
    same_state(other, before)
    assert replayed(step, points()[1:]) == expected
    same_state(other, model)
    assert (other.state_dict()["1.running_mean"] != before["1.running_mean"]).all()


def test_buffers_and_frozen_weights_that_were_loaded_are_used(emulated):
    model, optimiser = with_buffers()
    loaded = {name: 1 + array for name, array in state(model).items()}
    expected = eagerly(model, optimiser, points()[1:3], loss_of=squares)
    model.load_state_dict(loaded)
    expected += eagerly(model, optimiser, points()[3:], start=2, loss_of=squares)
    other, its_optimiser = with_buffers()
    step = CapturedStep(other, its_optimiser, squares, points()[0])
    got = replayed(step, points()[1:3])
    other.load_state_dict(loaded)
    assert got + replayed(step, points()[3:], start=2) == expected
    same_state(other, model)


def test_ordinary_passes_between_replays_gather_too(emulated):
    given = points()[1:]
    model, optimiser = with_buffers()
    eagerly(model, optimiser, given, loss_of=squares)
    other, its_optimiser = with_buffers()
    step = CapturedStep(other, its_optimiser, squares, points()[0])
    replayed(step, given[:1])
    eagerly(other, its_optimiser, given[1:3], start=1, loss_of=squares)
    replayed(step, given[3:], start=3)
    same_state(other, model)


def test_a_capture_that_fails_leaves_buffers_as_they_were(emulated):
    model, optimiser = with_buffers()
    before = state(model)

    def reads(model, batch):
        loss = squares(model, batch)
        return loss * 2 if loss.item() > 1 else loss

    with pytest.raises(standin.Leak):
        CapturedStep(model, optimiser, reads, points()[0])
    same_state(model, before)


def test_arrays_of_another_kind_are_refused(emulated):
    model, optimiser = with_buffers()
    step = CapturedStep(model, optimiser, squares, points()[0])
    mean = dict(model.named_buffers())["1.running_mean"]
    mean.data = mean.data.astype(np.float64)
    with pytest.raises(RuntimeError, match=r"float32 \(5,\), got cuda float64 \(5,\)"):
        step(points()[1])
