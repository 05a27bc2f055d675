"""The same questions to a real GPU, through CuPy; skipped, with the reason, where there is none."""

from copy import deepcopy

import numpy as np
import pytest

from minitx import backend, nn, training
from minitx import functional as F
from minitx.autograd.tensor import wrap
from minitx.models import Decoder
from minitx.training.graph import CapturedStep
from tests.gpu.cases import ALL, compare, differences, numbers

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("cupy", "broadcasting")]
SIZE = dict(vocab_size=65, d_model=48, num_heads=4, num_layers=2, max_length=33)


@pytest.fixture
def launched(monkeypatch, cupy):
    """The names of the kernels that have been asked for."""
    found, device = [], backend.kernels_of(cupy.zeros(1))
    launch = device.launch
    monkeypatch.setattr(device, "launch", lambda kernel, *a, **s: (
        found.append(kernel.split("/")[1]), launch(kernel, *a, **s)
    ))  # fmt: skip
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("kernel", "case"), ALL)
def test_values_and_gradients(kernel, case, dtype, cupy, launched):
    compare(differences(kernel, case, dtype, cupy.asarray), dtype)
    assert any(kernel in name for name in launched), "the plain form ran"


def made(device):
    model = Decoder.gpt(**SIZE, rng=0).to(device)
    # keys' biases have a gradient of 0 up to rounding: eps keeps Adam from following that
    return model, training.AdamW(model.parameters(), lr=0.01, eps=1e-3)


def batches(count):
    drawn = np.random.default_rng(0).integers(65, size=(count, 3, 34))
    return [(ids[:, :-1], ids[:, 1:]) for ids in drawn]


def train(device, given):
    model, optimiser = made(device)
    losses = []
    for step, batch in enumerate(given):
        loss = model.loss(*(backend.move(x, device) for x in batch))
        loss.backward()
        optimiser.step(1 / (step + 1))
        optimiser.zero_grad()
        losses.append(loss.item())
    return losses, [p.numpy() for p in model.parameters()]


def test_training_steps_are_those_of_the_cpu():
    here, there = train("cpu", batches(5)), train("cuda", batches(5))
    np.testing.assert_allclose(there[0], here[0], rtol=1e-4)
    for a, b in zip(there[1], here[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-3)


def test_every_run_gives_the_same_bits():
    first, second = train("cuda", batches(5)), train("cuda", batches(5))
    assert first[0] == second[0]
    for a, b in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_captured_step_trains_as_an_ordinary_one():
    first, *rest = batches(6)
    losses, weights = train("cuda", rest)
    model, optimiser = made("cuda")
    step = CapturedStep(model, optimiser, lambda model, batch: model.loss(*batch), first)
    got = [step(batch, 1 / (i + 1)).item() for i, batch in enumerate(rest)]
    np.testing.assert_allclose(got, losses, rtol=1e-5)
    for p, expected in zip(model.parameters(), weights, strict=True):
        np.testing.assert_allclose(p.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_a_captured_step_goes_on_from_what_it_finds():
    """Ordinary steps and loaded weights between two replays; running means in a buffer."""
    layers = nn.Linear(3, 5, rng=0), nn.BatchNorm(5), nn.Linear(5, 2, rng=1)
    given = [numbers(7, 3, seed=i).astype(np.float32) for i in range(7)]
    here, there = nn.Sequential(*layers), deepcopy(nn.Sequential(*layers)).to("cuda")
    # the first bias has a gradient of 0 up to rounding: eps keeps Adam from following that
    optimisers = [training.AdamW(model.parameters(), lr=0.01, eps=1e-3) for model in (here, there)]

    def squares(model, x):
        return F.mean(F.square(model(x)))

    def ordinary(model, optimiser, x):
        squares(model, wrap(x, None)).backward()
        optimiser.step()
        optimiser.zero_grad()

    loaded = {name: 1 + array for name, array in here.state_dict().items()}
    step = CapturedStep(there, optimisers[1], squares, given[0])
    for i, x in enumerate(given[1:]):
        if i == 4:
            here.load_state_dict(loaded)
            there.load_state_dict(loaded)
        ordinary(here, optimisers[0], x)
        if i in (1, 2):
            ordinary(there, optimisers[1], backend.move(x, "cuda"))
        else:
            step(x)
    expected = here.state_dict()
    for name, array in there.state_dict().items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_other_work_between_replays_does_no_harm():
    """What a step has freed is nobody else's: memory taken between two replays stays as it is."""
    first, *rest = batches(4)
    model, optimiser = made("cuda")
    step = CapturedStep(model, optimiser, lambda model, batch: model.loss(*batch), first)
    others = [backend.move(np.ones((300, 300)), "cuda") for _ in range(50)]
    for batch in rest:
        step(batch)
    assert all((x == 1).all() for x in others)


@pytest.mark.parametrize(("precision", "tolerance"), [("tf32", 2e-3), ("bfloat16", 2e-2)])
def test_products_at_a_lower_precision(precision, tolerance):
    a, b = (numbers(2, 256, 256, seed=i).astype(np.float32) for i in (0, 1))
    exact = a.astype(np.float64) @ b.astype(np.float64)
    before = backend.matmul_precision(precision)
    try:
        a, b = (wrap(backend.move(x, "cuda"), None) for x in (a, b))
        got = (a @ b).numpy()
    finally:
        backend.matmul_precision(before)
    off = np.abs(got - exact).max() / np.abs(exact).max()
    assert 1e-6 < off < tolerance
