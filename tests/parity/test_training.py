"""Every optimiser, schedule and clipping beside PyTorch's, over 20 steps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from minitx import Tensor, nn, training  # noqa: E402
from minitx.training import schedules  # noqa: E402
from tests.parity.torch_referee import DTYPES, draw, near, theirs  # noqa: E402

pytestmark = pytest.mark.parity
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)
STEPS = 20
SHAPES = [(5, 7), (7,), (3, 2, 2), (11,), ()]

OPTIMISERS = {
    "sgd": (training.SGD, torch.optim.SGD, dict(lr=0.1)),
    "momentum": (training.SGD, torch.optim.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.1)),
    "nesterov": (training.SGD, torch.optim.SGD, dict(lr=0.05, momentum=0.8, nesterov=True)),
    "adam": (training.Adam, torch.optim.Adam, dict(lr=0.03)),
    "adam, decay": (
        training.Adam,
        torch.optim.Adam,
        dict(lr=0.03, weight_decay=0.2, betas=(0.8, 0.95), eps=1e-3),
    ),
    "adamw": (training.AdamW, torch.optim.AdamW, dict(lr=0.03)),
    "adamw, all": (
        training.AdamW,
        torch.optim.AdamW,
        dict(lr=0.02, weight_decay=0.3, betas=(0.8, 0.95), eps=1e-2),
    ),
}


def pairs(dtype, shapes=SHAPES):
    """The same numbers as our parameters and as PyTorch's."""
    arrays = [draw(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes)]
    arrays = [np.asarray(array, dtype=dtype) for array in arrays]
    return [nn.Parameter(a, dtype=a.dtype) for a in arrays], [theirs(a) for a in arrays]


def give_gradients(mine, referee, step, absent=()):
    """The gradient of step number ``step`` on both sides; none for the parameters ``absent``."""
    for i, (p, q) in enumerate(zip(mine, referee, strict=True)):
        g = np.asarray(draw(*p.shape, dtype=p.dtype.name, seed=100 * step + i), dtype=p.dtype)
        p.grad = None if i in absent else Tensor(g, dtype=p.dtype)
        q.grad = None if i in absent else torch.from_numpy(g.copy())


def same(mine, referee, dtype):
    for i, (p, q) in enumerate(zip(mine, referee, strict=True)):
        near(p, q, DTYPES[dtype], f"parameter {i}")


@both_dtypes
@pytest.mark.parametrize("name", OPTIMISERS)
def test_twenty_steps(name, dtype):
    make, make_referee, options = OPTIMISERS[name]
    mine, referee = pairs(dtype)
    optimiser, other = make(mine, **options), make_referee(referee, **options)
    for step in range(STEPS):
        give_gradients(mine, referee, step)
        optimiser.step()
        other.step()
        same(mine, referee, dtype)


@both_dtypes
@pytest.mark.parametrize("name", [n for n in OPTIMISERS if n != "nesterov"])
def test_groups_with_options_of_their_own(name, dtype):
    make, make_referee, options = OPTIMISERS[name]
    mine, referee = pairs(dtype)
    own = dict(lr=0.5 * options["lr"], weight_decay=0.25)
    optimiser = make([{"params": mine[:2]}, {"params": mine[2:], **own}], **options)
    other = make_referee([{"params": referee[:2]}, {"params": referee[2:], **own}], **options)
    for step in range(STEPS):
        give_gradients(mine, referee, step)
        optimiser.step()
        other.step()
    same(mine, referee, dtype)


@both_dtypes
@pytest.mark.parametrize("name", ["momentum", "adam, decay", "adamw"])
def test_parameters_that_have_no_gradient_at_some_steps(name, dtype):
    """They are neither moved nor decayed, and their own step number counts on alone."""
    make, make_referee, options = OPTIMISERS[name]
    mine, referee = pairs(dtype)
    optimiser, other = make(mine, **options), make_referee(referee, **options)
    for step in range(STEPS):
        absent = {1} if step < 3 else {0, 4} if step % 2 else set()
        give_gradients(mine, referee, step, absent)
        optimiser.step()
        other.step()
        same(mine, referee, dtype)


@both_dtypes
def test_a_long_buffer_is_updated_in_pieces(dtype, monkeypatch):
    monkeypatch.setattr("minitx.training.flat.PIECE", 7)
    mine, referee = pairs(dtype)
    options = dict(lr=0.03, weight_decay=0.1)
    optimiser, other = training.AdamW(mine, **options), torch.optim.AdamW(referee, **options)
    for step in range(STEPS):
        give_gradients(mine, referee, step)
        optimiser.step()
        other.step()
    same(mine, referee, dtype)


@both_dtypes
def test_adam_on_complex_parameters(dtype):
    kind = {"float32": np.complex64, "float64": np.complex128}[dtype]
    start = (draw(3, 5) + 1j * draw(3, 5, seed=1)).astype(kind)
    p = nn.Parameter(start, dtype=kind)
    q = torch.from_numpy(start.copy()).requires_grad_()
    optimiser, other = training.Adam([p], lr=0.03), torch.optim.Adam([q], lr=0.03)
    for step in range(STEPS):
        g = (draw(3, 5, seed=step + 2) + 1j * draw(3, 5, seed=step + 50)).astype(kind)
        p.grad, q.grad = Tensor(g, dtype=kind), torch.from_numpy(g)
        optimiser.step()
        other.step()
    near(p, q, DTYPES[dtype])


SCHEDULES = {
    "cosine": (
        schedules.cosine(15, end=0.2),
        # PyTorch's goes up again after its end: compared as far as that
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 15, eta_min=0.2),
        15,
    ),
    "linear": (
        schedules.linear(12, end=0.25),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.25, 12),
        30,
    ),
    "step": (
        schedules.step_decay(4, 0.5),
        lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.5),
        30,
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name):
    mine, make_referee, steps = SCHEDULES[name]
    (p,) = pairs("float64", [(1,)])[1]
    optimiser = torch.optim.SGD([p], lr=1.0)
    referee = make_referee(optimiser)
    for step in range(steps):
        assert mine(step) == pytest.approx(referee.get_last_lr()[0], abs=1e-12), step
        optimiser.step()
        referee.step()


@both_dtypes
@pytest.mark.parametrize("limit", [0.5, 1e6])
def test_clipping_the_norm(limit, dtype):
    mine, referee = pairs(dtype)
    give_gradients(mine, referee, 0)
    got = training.clip_norm(mine, limit)
    expected = torch.nn.utils.clip_grad_norm_(referee, limit)
    assert got == pytest.approx(float(expected), rel=1e-5 if dtype == "float32" else 1e-10)
    for p, q in zip(mine, referee, strict=True):
        # PyTorch divides by norm + 1e-6
        near(p.grad, q.grad, 1e-5, "clipped gradient")


def test_clipping_values():
    mine, referee = pairs("float64")
    give_gradients(mine, referee, 0)
    training.clip_value(mine, 0.3)
    torch.nn.utils.clip_grad_value_(referee, 0.3)
    for p, q in zip(mine, referee, strict=True):
        near(p.grad, q.grad, 0)


@both_dtypes
def test_ema(dtype):
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    from tests.parity.torch_referee import copy_weights

    model, referee = nn.Linear(3, 5, rng=0), torch.nn.Linear(3, 5)
    copy_weights(model, referee, dtype)
    mean = training.EMA(model, decay=0.9)
    other = AveragedModel(referee, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    other.update_parameters(referee)  # PyTorch's first update copies
    for step in range(STEPS):
        new = draw(5, 3, dtype=dtype, seed=step)
        model.weight.assign(new)
        with torch.no_grad():
            referee.weight.copy_(torch.from_numpy(new))
        mean.update()
        other.update_parameters(referee)
    near(mean.means["weight"], other.module.weight, DTYPES[dtype])
