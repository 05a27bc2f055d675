"""Every kernel, run on the CPU from its own source, against its naive twin."""

import numpy as np
import pytest

from minitx import functional as F
from minitx import training
from minitx.autograd import Tensor
from minitx.autograd.tensor import wrap
from minitx.backend.kernels import products, rows
from minitx.models import Decoder
from tests import standin
from tests.gpu.cases import ALL, CASES, compare, differences, heads, numbers

pytestmark = pytest.mark.usefixtures("broadcasting")


def on_device(xp, array, dtype=np.float32):
    return wrap(xp.asarray(array.astype(dtype)), None)


@pytest.mark.parametrize(("kernel", "case"), ALL)
def test_values_and_gradients(kernel, case, emulated):
    compare(differences(kernel, case, np.float32, emulated.xp.asarray), np.float32)
    assert any(kernel in name for name in emulated.launched), "the plain form ran"


@pytest.mark.parametrize("kernel", CASES)
def test_double_precision(kernel, emulated):
    """The first and the last case: the rest differs by the type of numbers alone."""
    for case in [*CASES[kernel]][:: max(1, len(CASES[kernel]) - 1)]:
        compare(differences(kernel, case, np.float64, emulated.xp.asarray), np.float64)
    assert any(kernel in name for name in emulated.launched), "the plain form ran"


def test_what_a_kernel_does_not_cover_runs_as_ever(emulated):
    """Heads too wide for a tile, no numbers at all, types that kernels do not know."""
    xp = emulated.xp
    wide = [on_device(xp, x) for x in heads(b=1, h=1, t=3, s=5, d=1000, width=2)]
    here = F.attention(*(Tensor(x.numpy()) for x in wide))
    np.testing.assert_allclose(F.attention(*wide).numpy(), here.numpy(), rtol=1e-5, atol=1e-6)
    assert F.softmax(on_device(xp, numbers(0, 3))).shape == (0, 3)
    half = F.softmax(on_device(xp, numbers(2, 3), np.float16))
    assert half.dtype == np.float16 and not emulated.launched


def test_a_target_that_is_no_class_gives_nan(emulated):
    """Where nobody may look at the targets, in a captured step, the loss says that they are bad."""
    logits = emulated.xp.asarray(numbers(3, 5).astype(np.float32))
    targets = emulated.xp.asarray(np.array([4, 5, -1]))
    loss, _ = rows.cross_entropy[0](emulated, logits, targets, 0.0)
    assert list(np.isnan(loss.get())) == [False, True, True]


def test_an_id_that_is_no_row_is_left_out(emulated):
    """Its gradient has nowhere to go, and must not be written beside the table."""
    values = emulated.xp.asarray(np.ones((3, 2), np.float32))
    found = products.add_rows(emulated, values, emulated.xp.asarray(np.array([4, -1, 1])), 4)
    np.testing.assert_array_equal(found.get(), [[0, 0], [1, 1], [0, 0], [0, 0]])


def test_an_array_of_numpy_never_meets_a_kernel(emulated):
    x = Tensor(numbers(3, 5), requires_grad=True)
    F.sum(F.softmax(x) * F.gelu(x)).backward()
    assert x.grad is not None and not emulated.launched


@pytest.mark.parametrize("make", [training.Adam, training.AdamW])
@pytest.mark.parametrize("size", [1, 300])
def test_adam(make, size, emulated):
    """Twenty updates, with a schedule, against NumPy's."""

    def train(place):
        p = wrap(place(numbers(size)), None)
        p.requires_grad = True
        optimiser = make([p], lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.3)
        for step in range(20):
            p.grad = wrap(place(numbers(size, seed=step + 1)), None)
            optimiser.step(1 / (step + 1))
        return p.numpy()

    np.testing.assert_allclose(train(emulated.xp.asarray), train(np.array), rtol=1e-12)
    assert emulated.launched == ["adam"] * 20


@pytest.mark.parametrize("form", ["gpt", "llama"])
def test_whole_training_steps(form, emulated):
    """Forward, backward and AdamW: the same losses and weights, and nothing leaves the device."""
    made = {
        "gpt": lambda: Decoder.gpt(19, 12, 3, 2, 16, rng=0),
        "llama": lambda: Decoder.llama(19, 12, 3, 2, 1, rng=0),
    }[form]
    ids = np.random.default_rng(0).integers(19, size=(2, 8))

    def train(model, place):
        # keys' biases have a gradient of 0 up to rounding: eps keeps Adam from following that
        optimiser, losses = training.AdamW(model.parameters(), lr=0.01, eps=1e-3), []
        batch = [wrap(place(x), None) for x in (ids[:, :-1], ids[:, 1:])]
        for _ in range(3):
            loss = model.loss(*batch)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
        return losses, {name: p.numpy() for name, p in model.named_parameters()}

    got, weights = train(standin.convert(made()), emulated.xp.asarray)
    expected, others = train(made(), np.array)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, others[name], rtol=1e-3, atol=1e-4, err_msg=name)
    wanted = {"attention", "attention_queries", "attention_keys", "normalise", "normalise_backward",
              "cross_entropy", "cross_entropy_backward", "add_rows", "adam"}  # fmt: skip
    wanted |= {"activation", "activation_backward"} if form == "gpt" else {"swiglu"}
    assert wanted <= set(emulated.launched)
