"""A small run with everything in it that a resumed one must get back."""

import numpy as np

from minitx import functional as F
from minitx import nn, training
from minitx.nn import losses
from minitx.training import schedules

INPUTS = np.random.default_rng(1).standard_normal((23, 3)).astype(np.float32)
TARGETS = np.sin(INPUTS.sum(axis=1, keepdims=True))


def draws(rng):
    """Batches that are drawn from a generator, without end."""
    while True:
        chosen = rng.integers(len(INPUTS), size=5)
        yield INPUTS[chosen], TARGETS[chosen]


def shuffled():
    """Batches whose order is their own business."""
    return training.Shuffled(INPUTS, TARGETS, batch_size=5, rng=3)


def trainer(batches=None, optimiser=None, width=7, **options):
    """Dropout, batch norm, decay in a group of its own, schedule, clipping, accumulation."""
    model = nn.Sequential(
        nn.Linear(3, width, rng=0),
        nn.BatchNorm(width),
        F.relu,
        nn.Dropout(0.3, rng=1),
        nn.Linear(width, 1, rng=2),
    )
    if batches is None:
        rng = np.random.default_rng(5)
        batches, options["generators"] = draws(rng), {"data": rng}
    groups = [
        {"params": [model[0].weight, model[4].weight]},
        {"params": [model[0].bias, model[4].bias, *model[1].parameters()], "weight_decay": 0.0},
    ]
    make = optimiser or (lambda groups: training.AdamW(groups, lr=0.01, weight_decay=0.1))
    return training.Trainer(
        model,
        make(groups),
        batches,
        lambda model, batch: losses.mse(model(F.tensor(batch[0])), batch[1]),
        **{
            "schedule": schedules.warm_up_cosine(3, 20),
            "clip": 0.5,
            "accumulate": 2,
            **options,
        },
    )


def everything(run):
    """All numbers that a run is made of."""
    state = run.optimiser.state_dict()
    return {
        **run.model.state_dict(),
        **state["arrays"],
        "counts": np.concatenate([np.array(c) for c in state["counts"]]),
        "losses": np.array(run.history["loss"]),
        "norms": np.array(run.history["norm"]),
    }


def same(a, b):
    """Bit for bit."""
    a, b = everything(a), everything(b)
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)
