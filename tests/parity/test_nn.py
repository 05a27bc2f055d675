"""Every layer and loss beside PyTorch's: the same weights, outputs and all gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn as tnn  # noqa: E402
from torch.nn import functional as tf  # noqa: E402

from minitx import functional as F  # noqa: E402
from minitx import nn  # noqa: E402
from minitx.nn import losses  # noqa: E402
from tests.parity.torch_referee import (  # noqa: E402
    DTYPES,
    copy_weights,
    draw,
    near,
    ours,
    same_gradients,
    theirs,
)

pytestmark = pytest.mark.parity
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def channels_second(x):
    """(B, ..., C) as PyTorch has it, (B, C, ...)."""
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


LAYERS = {
    "linear": (lambda: nn.Linear(5, 7, rng=0), lambda: tnn.Linear(5, 7), (2, 3, 5)),
    "linear without bias": (
        lambda: nn.Linear(5, 7, bias=False, rng=0),
        lambda: tnn.Linear(5, 7, bias=False),
        (3, 5),
    ),
    "layer norm": (lambda: nn.LayerNorm(7), lambda: tnn.LayerNorm(7), (2, 3, 7)),
    "layer norm, other eps": (
        lambda: nn.LayerNorm(7, eps=0.1),
        lambda: tnn.LayerNorm(7, eps=0.1),
        (5, 7),
    ),
    "rms norm": (lambda: nn.RMSNorm(7), lambda: tnn.RMSNorm(7, eps=1e-6), (2, 3, 7)),
}
CHANNELS = {
    "group norm": (lambda: nn.GroupNorm(3, 6), lambda: tnn.GroupNorm(3, 6), (2, 5, 7, 6)),
    "group norm, no places": (lambda: nn.GroupNorm(2, 6), lambda: tnn.GroupNorm(2, 6), (3, 6)),
    "batch norm": (lambda: nn.BatchNorm(5), lambda: tnn.BatchNorm1d(5), (7, 5)),
    "batch norm of sequences": (lambda: nn.BatchNorm(5), lambda: tnn.BatchNorm1d(5), (2, 3, 5)),
    "batch norm of images": (
        lambda: nn.BatchNorm(5, momentum=0.3),
        lambda: tnn.BatchNorm2d(5, momentum=0.3),
        (2, 3, 4, 5),
    ),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, rng=0), lambda: tnn.Conv1d(4, 6, 3), (2, 11, 4)),
    "conv1d, all": (
        lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, rng=0),
        lambda: tnn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2),
        (2, 11, 4),
    ),
    "conv1d, depthwise, no bias": (
        lambda: nn.Conv1d(4, 4, 3, groups=4, bias=False, rng=0),
        lambda: tnn.Conv1d(4, 4, 3, groups=4, bias=False),
        (2, 11, 4),
    ),
    "conv2d": (
        lambda: nn.Conv2d(3, 5, (2, 3), stride=(1, 2), padding=1, rng=0),
        lambda: tnn.Conv2d(3, 5, (2, 3), stride=(1, 2), padding=1),
        (2, 7, 8, 3),
    ),
}


def compare(module, referee, shape, dtype, before=lambda x: x, after=lambda x: x):
    tolerance = DTYPES[dtype]
    copy_weights(module, referee, dtype)
    data = draw(*shape, dtype=dtype)
    x, u = ours(data), theirs(data)
    y, v = module(x), after(referee(before(u)))
    near(y, v, tolerance, "output")
    cotangent = draw(*y.shape, dtype=dtype, seed=9)
    y.backward(cotangent)
    v.backward(torch.from_numpy(cotangent))
    near(x.grad, u.grad, tolerance, "input's gradient")
    same_gradients(module, referee, tolerance)


@both_dtypes
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, dtype):
    make, make_referee, shape = LAYERS[name]
    compare(make(), make_referee(), shape, dtype)


@both_dtypes
@pytest.mark.parametrize("name", CHANNELS)
def test_layer_over_channels(name, dtype):
    make, make_referee, shape = CHANNELS[name]
    compare(make(), make_referee(), shape, dtype, channels_second, channels_last)


@both_dtypes
def test_embedding_with_repeated_ids(dtype):
    module, referee = nn.Embedding(7, 3, rng=0), tnn.Embedding(7, 3)
    copy_weights(module, referee, dtype)
    ids = np.array([[1, 6, 1, 0], [1, 5, 5, 0]])
    y, v = module(ids), referee(torch.from_numpy(ids))
    near(y, v, DTYPES[dtype])
    cotangent = draw(*y.shape, dtype=dtype)
    y.backward(cotangent)
    v.backward(torch.from_numpy(cotangent))
    same_gradients(module, referee, DTYPES[dtype])


@both_dtypes
def test_batch_norm_gathers_and_evaluates_with_what_it_gathered(dtype):
    module, referee = nn.BatchNorm(3), tnn.BatchNorm1d(3)
    module.to(np.dtype(dtype))
    referee.to(getattr(torch, dtype))
    for i in range(3):
        x = 2 + 3 * draw(11, 3, dtype=dtype, seed=i)
        module(ours(x))
        referee(theirs(x))
    near(module.running_mean, referee.running_mean, DTYPES[dtype])
    near(module.running_var, referee.running_var, DTYPES[dtype])
    compare_in_evaluation(module.eval(), referee.eval(), dtype)


def compare_in_evaluation(module, referee, dtype):
    data = draw(5, 3, dtype=dtype, seed=7)
    x, u = ours(data), theirs(data)
    y, v = module(x), referee(u)
    near(y, v, DTYPES[dtype])
    F.sum(F.square(y)).backward()
    v.square().sum().backward()
    near(x.grad, u.grad, DTYPES[dtype])
    same_gradients(module, referee, DTYPES[dtype])


class LastLayer(tnn.Module):
    """PyTorch's recurrent layer under our names: without the layer's number."""

    def __init__(self, inner):
        super().__init__()
        for name, value in inner.named_parameters():
            self.register_parameter(name.removesuffix("_l0"), value)
        self.inner = [inner]  # out of sight of named_parameters

    def forward(self, x, state=None):
        return self.inner[0](x, state)


@both_dtypes
@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_recurrent(name, dtype):
    tolerance = DTYPES[dtype]
    module = getattr(nn, name)(5, 7, rng=0)
    referee = LastLayer(getattr(tnn, name)(5, 7, batch_first=True))
    copy_weights(module, referee, dtype)
    states = [draw(3, 7, dtype=dtype, seed=20 + i) for i in range(2 if name == "LSTM" else 1)]
    data = draw(3, 11, 5, dtype=dtype)
    x, s = ours(data), [ours(state) for state in states]
    u, r = theirs(data), [theirs(state[None]) for state in states]
    y, after = module(x, s[0] if name == "GRU" else tuple(s))
    v, later = referee(u, r[0] if name == "GRU" else tuple(r))
    near(y, v, tolerance, "outputs")
    after, later = ([after], [later]) if name == "GRU" else (after, later)
    for a, b in zip(after, later, strict=True):
        near(a, b[0], tolerance, "state")
    total = F.sum(F.square(y)) + sum(F.sum(F.sin(a)) for a in after)
    total.backward()
    (v.square().sum() + sum(b.sin().sum() for b in later)).backward()
    near(x.grad, u.grad, tolerance, "input's gradient")
    for a, b in zip(s, r, strict=True):
        near(a.grad, b.grad[0], tolerance, "state's gradient")
    same_gradients(module, referee, tolerance)


# ------------------------------------------------------------------------------------ activations

ACTIVATIONS = {
    "relu": tf.relu,
    "squared_relu": lambda x: tf.relu(x).square(),
    "gelu": lambda x: tf.gelu(x, approximate="tanh"),
    "gelu_erf": tf.gelu,
    "silu": tf.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": tf.softplus,
    "identity": lambda x: x,
}


def test_every_activation_is_compared():
    assert set(ACTIVATIONS) == set(nn.ACTIVATIONS)


@both_dtypes
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, dtype):
    one_value(nn.activation(name), ACTIVATIONS[name], dtype, 3 * draw(7, 11, dtype=dtype))


@both_dtypes
def test_glu(dtype):
    def referee(x):
        value, gate = x.chunk(2, -1)
        return tf.glu(torch.cat([gate, value], -1))

    one_value(F.glu, referee, dtype, draw(3, 10, dtype=dtype))


def one_value(function, referee, dtype, *arrays):
    """The same value and the same gradients with respect to all arrays."""
    xs, us = [ours(a) for a in arrays], [theirs(a) for a in arrays]
    y, v = function(*xs), referee(*us)
    near(y, v, DTYPES[dtype], "value")
    cotangent = np.asarray(draw(*y.shape, dtype=dtype, seed=5), dtype=dtype)
    y.backward(cotangent)
    v.backward(torch.from_numpy(cotangent))
    for x, u in zip(xs, us, strict=True):
        near(x.grad, u.grad, DTYPES[dtype], "gradient")


# ----------------------------------------------------------------------------------------- losses

TARGETS = np.array([[4, 0, 2], [2, 2, 1]])
MASK = np.array([[True, False, True], [True, True, False]])
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.3, 1.7])


def torch_cross_entropy(logits, **options):
    targets = torch.from_numpy(TARGETS).clone()
    if options.pop("masked", False):
        targets[~torch.from_numpy(MASK)] = -100
    if "weight" in options:
        options["weight"] = torch.from_numpy(options["weight"]).to(logits.dtype)
    return tf.cross_entropy(logits.flatten(0, 1), targets.flatten(), **options)


CROSS_ENTROPIES = {
    "plain": ({}, {}),
    "sum": ({"reduction": "sum"}, {"reduction": "sum"}),
    "masked": ({"mask": MASK}, {"masked": True}),
    "ignore": ({"ignore": 2}, {"ignore_index": 2}),
    "smoothed": ({"label_smoothing": 0.1}, {"label_smoothing": 0.1}),
    "weighted": ({"weights": WEIGHTS}, {"weight": WEIGHTS}),
    "all": (
        {"weights": WEIGHTS, "label_smoothing": 0.2, "mask": MASK},
        {"weight": WEIGHTS, "label_smoothing": 0.2, "masked": True},
    ),
    "weighted sum": (
        {"weights": WEIGHTS, "ignore": 0, "reduction": "sum"},
        {"weight": WEIGHTS, "ignore_index": 0, "reduction": "sum"},
    ),
}


@both_dtypes
@pytest.mark.parametrize("name", CROSS_ENTROPIES)
def test_cross_entropy(name, dtype):
    mine, their = CROSS_ENTROPIES[name]
    one_value(
        lambda x: losses.cross_entropy(x, TARGETS, **mine),
        lambda u: torch_cross_entropy(u, **their),
        dtype,
        2 * draw(2, 3, 5, dtype=dtype),
    )


def _log_softmax_kl(p, q):
    return tf.kl_div(
        tf.log_softmax(q, -1), tf.log_softmax(p, -1), log_target=True, reduction="batchmean"
    )


def _clip(q, k, symmetric):
    scores = tf.normalize(q, dim=-1) @ tf.normalize(k, dim=-1).T / 0.2
    targets = torch.arange(len(q))
    loss = tf.cross_entropy(scores, targets)
    return (loss + tf.cross_entropy(scores.T, targets)) / 2 if symmetric else loss


LOSSES = {
    "mse": (losses.mse, tf.mse_loss),
    "mse, none": (
        lambda a, b: losses.mse(a, b, reduction="none"),
        lambda a, b: tf.mse_loss(a, b, reduction="none"),
    ),
    "mae": (losses.mae, tf.l1_loss),
    "huber": (
        lambda a, b: losses.huber(a, b, delta=0.7),
        lambda a, b: tf.huber_loss(a, b, delta=0.7),
    ),
    "kl": (
        lambda a, b: losses.kl_div(F.log_softmax(a), F.log_softmax(b)),
        _log_softmax_kl,
    ),
    "info_nce": (
        lambda a, b: losses.info_nce(a, b, temperature=0.2),
        lambda a, b: _clip(a, b, False),
    ),
    "clip": (
        lambda a, b: losses.info_nce(a, b, temperature=0.2, symmetric=True),
        lambda a, b: _clip(a, b, True),
    ),
}


@both_dtypes
@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, dtype):
    a, b = draw(7, 5, dtype=dtype), draw(7, 5, dtype=dtype, seed=1)
    one_value(*LOSSES[name], dtype, a, b)


@both_dtypes
@pytest.mark.parametrize("weight", [None, 3.0])
def test_binary_cross_entropy(weight, dtype):
    targets = np.random.default_rng(0).uniform(size=(7, 5)).astype(dtype)
    their = (
        {} if weight is None else {"pos_weight": torch.tensor(weight, dtype=getattr(torch, dtype))}
    )
    one_value(
        lambda x: losses.bce_with_logits(x, targets, positive_weight=weight or 1.0),
        lambda u: tf.binary_cross_entropy_with_logits(u, torch.from_numpy(targets), **their),
        dtype,
        20 * draw(7, 5, dtype=dtype),
    )
