"""A whole training step on the strict stand-in, without kernels: nothing leaves its device."""

import numpy as np
import pytest

from minitx import training
from minitx.autograd.tensor import wrap
from minitx.models import Decoder

FORMS = {
    "gpt": lambda: Decoder.gpt(19, 12, 3, 2, 16, rng=0),
    "llama": lambda: Decoder.llama(19, 12, 3, 2, 1, rng=0),
}


@pytest.mark.parametrize("form", FORMS)
def test_training_stays_on_the_device(form, standin):
    ids = np.random.default_rng(0).integers(19, size=(2, 8))

    def train(model, place):
        # keys' biases have a gradient of 0 up to rounding: eps keeps Adam from following that
        optimiser, losses = training.AdamW(model.parameters(), lr=0.01, eps=1e-3), []
        for _ in range(3):
            loss = model.loss(*(wrap(place(x), None) for x in (ids[:, :-1], ids[:, 1:])))
            loss.backward()
            training.clip_norm(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
        return losses, model

    got, there = train(standin.convert(FORMS[form]()), standin.array)
    expected, here = train(FORMS[form](), np.array)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    for a, b in zip(there.parameters(), here.parameters(), strict=True):
        assert type(a.data) is standin.Array
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4)
