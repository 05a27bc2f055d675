"""Training steps on the stand-in, that captured ones are compared with."""

import numpy as np

from minitx import training
from minitx.autograd.tensor import wrap
from minitx.models import Decoder
from tests import standin

STEPS = 4


def batches():
    drawn = np.random.default_rng(1).integers(19, size=(STEPS + 1, 2, 8))
    return [(ids[:, :-1], ids[:, 1:]) for ids in drawn]


def loss_of(model, batch):
    return model.loss(*batch)


def made(seed=0):
    model = standin.convert(Decoder.gpt(19, 12, 3, 2, 16, rng=seed))
    return model, training.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)


def on_device(x):
    return wrap(standin.array(x), None)


def eagerly(model, optimiser, given, start=0, loss_of=loss_of):
    """Ordinary steps, the first of them number ``start``, each at its own rate; their losses."""
    losses = []
    for step, batch in enumerate(given, start):
        loss = loss_of(model, [on_device(x) for x in batch])
        loss.backward()
        optimiser.step(1 / (step + 1))
        optimiser.zero_grad()
        losses.append(loss.item())
    return losses


def replayed(step, given, start=0):
    """The same with a captured step."""
    return [step(batch, 1 / (i + 1)).item() for i, batch in enumerate(given, start)]


def state(model):
    """Every parameter and buffer as it is now."""
    return {name: array.copy() for name, array in model.state_dict().items()}


def same_state(model, expected):
    """``expected`` is a state, or a model."""
    expected = expected if isinstance(expected, dict) else state(expected)
    for name, array in state(model).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
