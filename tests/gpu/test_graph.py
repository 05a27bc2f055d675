"""A captured step trains as an ordinary one does: here on a tape of the stand-in's operations."""

from copy import deepcopy

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn, training
from minitx.models import Decoder
from minitx.training.graph import CapturedStep
from tests import standin
from tests.gpu.cases import numbers
from tests.gpu.steps import (
    batches,
    eagerly,
    loss_of,
    made,
    on_device,
    replayed,
    same_state,
    state,
)


def test_it_trains_as_an_ordinary_step_does(emulated):
    """Other batches, other rates, other corrections for the number of updates: bit for bit."""
    model, optimiser = made()
    expected = eagerly(model, optimiser, batches()[1:])
    other, its_optimiser = made()
    step = CapturedStep(other, its_optimiser, loss_of, batches()[0])
    assert replayed(step, batches()[1:]) == expected
    same_state(other, model)
    assert its_optimiser.state_dict()["counts"] == optimiser.state_dict()["counts"]


def test_ordinary_steps_before_and_after(emulated):
    model, optimiser = made()
    eagerly(model, optimiser, [*batches()[:2], *batches()[2:]])
    other, its_optimiser = made()
    eagerly(other, its_optimiser, batches()[:2])
    step = CapturedStep(other, its_optimiser, loss_of, batches()[0], warm=3)
    for i, batch in enumerate(batches()[2:4]):
        step([on_device(x) for x in batch], 1 / (i + 3))
    eagerly(other, its_optimiser, batches()[4:], start=4)
    same_state(other, model)


def test_capturing_changes_nothing(emulated):
    model, optimiser = made()
    before, counts = state(model), deepcopy(optimiser.state_dict()["counts"])
    CapturedStep(model, optimiser, loss_of, batches()[0])
    same_state(model, before)
    its = optimiser.state_dict()
    assert its["counts"] == counts and not any(x.any() for x in its["arrays"].values())
    assert not emulated.capturing and emulated.numbers().get().tolist() == [1, 0]


def test_a_graph_from_before_is_stale_after_a_replay(emulated):
    model, optimiser = made()
    step = CapturedStep(model, optimiser, loss_of, batches()[0])
    loss = loss_of(model, [on_device(x) for x in batches()[1]])
    step(batches()[1])
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_the_first_batch_is_looked_at(emulated):
    model, optimiser = made()
    ids, targets = batches()[0]
    with pytest.raises(IndexError, match="0 to 18"):
        CapturedStep(model, optimiser, loss_of, (ids, targets + 19))
    step = CapturedStep(model, optimiser, loss_of, (ids, targets))
    assert np.isnan(step((ids, targets + 19)).item())


def test_reading_in_a_capture_is_an_error(emulated):
    model, optimiser = made()

    def reads(model, batch):
        loss = loss_of(model, batch)
        return loss * 2 if loss.item() > 1 else loss

    with pytest.raises(standin.Leak, match="in a step that is captured"):
        CapturedStep(model, optimiser, reads, batches()[0])
    assert not emulated.capturing


def test_what_cannot_be_captured_is_refused(emulated):
    model, optimiser = made()
    with pytest.raises(ValueError, match=r"a model on a GPU: model.to"):
        CapturedStep(Decoder.gpt(19, 12, 3, 2, 16, rng=0), optimiser, loss_of, batches()[0])
    with pytest.raises(TypeError, match="Adam or AdamW, got SGD"):
        CapturedStep(model, training.SGD(model.parameters(), lr=0.1), loss_of, batches()[0])
    drawing = standin.convert(nn.Sequential(nn.Linear(3, 2, rng=0), nn.Dropout(0.5, rng=0)))
    adam = training.Adam(drawing.parameters())
    with pytest.raises(ValueError, match="cannot draw random numbers"):
        CapturedStep(drawing, adam, lambda m, x: F.sum(m(x)), numbers(5, 3))
    step = CapturedStep(model, optimiser, loss_of, batches()[0])
    with pytest.raises(ValueError, match=r"captured for arrays of .*got \[\(2, 6\), \(2, 6\)\]"):
        step([x[:, 1:] for x in batches()[1]])
