"""Layers: what they start from, what they keep to, and what they say when they are misused.

That their numbers and gradients are right is proved beside PyTorch, and here against loops.
"""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx import functional as F
from minitx.autograd.check import check_grads
from minitx.nn.module import functional_call


def real(*shape, seed=0):
    return Tensor(np.random.default_rng([seed, *shape]).standard_normal(shape), dtype=np.float64)


def widened(module):
    return module.to(np.float64)


LAYERS = {
    "Linear": (lambda: nn.Linear(5, 7, rng=0), (2, 3, 5), (2, 3, 7)),
    "LayerNorm": (lambda: nn.LayerNorm(5), (2, 3, 5), (2, 3, 5)),
    "RMSNorm": (lambda: nn.RMSNorm(5), (2, 3, 5), (2, 3, 5)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 6), (2, 3, 5, 6), (2, 3, 5, 6)),
    "BatchNorm": (lambda: nn.BatchNorm(5), (2, 3, 5), (2, 3, 5)),
    "Dropout": (lambda: nn.Dropout(0.3, rng=0), (2, 3, 5), (2, 3, 5)),
    "Conv1d": (lambda: nn.Conv1d(5, 7, 3, rng=0), (2, 11, 5), (2, 9, 7)),
    "Conv1d causal": (lambda: nn.Conv1d(5, 7, 3, padding="causal", rng=0), (2, 11, 5), (2, 11, 7)),
    "Conv2d": (lambda: nn.Conv2d(5, 7, (2, 3), rng=0), (2, 4, 6, 5), (2, 3, 4, 7)),
    "MLP": (lambda: nn.MLP(5, 7, 11, 3, activation="tanh", rng=0), (2, 3, 5), (2, 3, 3)),
    "Sequential": (lambda: nn.Sequential(nn.Linear(5, 7, rng=0), F.tanh), (2, 5), (2, 7)),
    "Activation": (lambda: nn.Activation("silu"), (2, 3), (2, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_shape_and_dtype(name):
    make, shape, expected = LAYERS[name]
    x = np.random.default_rng(0).standard_normal(shape)
    for dtype in (np.float32, np.float64):
        y = make().to(dtype)(Tensor(x, dtype=dtype))
        assert y.shape == expected
        assert y.dtype == dtype


@pytest.mark.parametrize("name", [n for n in LAYERS if n != "Dropout"])
def test_derivatives_to_second_order(name):
    make, shape, _ = LAYERS[name]
    module = widened(make())
    weights = {n: real(*p.shape, seed=3) for n, p in module.named_parameters()}
    check_grads(lambda w, x: functional_call(module, w, x), weights, real(*shape))


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_derivatives_of_recurrent_layers(make):
    module = widened(make(3, 5, rng=0))
    weights = {n: real(*p.shape, seed=3) for n, p in module.named_parameters()}
    check_grads(lambda w, x: functional_call(module, w, x), weights, real(2, 4, 3))


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: nn.Linear(5, 7, rng=rng),
        lambda rng: nn.Embedding(5, 7, rng=rng),
        lambda rng: nn.Conv2d(4, 6, 3, groups=2, rng=rng),
        lambda rng: nn.LSTM(5, 7, rng=rng),
        lambda rng: nn.MLP(5, 7, 3, rng=rng),
    ],
)
def test_the_same_seed_gives_the_same_bits(make):
    first, again, other = make(0), make(np.random.default_rng(0)), make(1)
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert not np.array_equal(a.numpy(), c.numpy())
        assert a.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Linear(64, 3, rng=0)(Tensor(np.ones((8, 32, 48)))),
         r"Linear expected \(\.\.\., 64\), got \(8, 32, 48\)"),
        (lambda: nn.LayerNorm(64)(Tensor(np.ones((3, 1)))), r"LayerNorm expected \(\.\.\., 64\)"),
        (lambda: nn.RMSNorm(64)(Tensor(1.0)), r"RMSNorm expected \(\.\.\., 64\), got \(\)"),
        (lambda: nn.BatchNorm(4)(Tensor(np.ones((3, 1)))), r"BatchNorm expected \(\.\.\., 4\)"),
        (lambda: nn.BatchNorm(4)(Tensor(np.ones((1, 4)))), "two places or more"),
        (lambda: nn.GroupNorm(4, 6), "groups that divide 6, got 4"),
        (lambda: nn.GroupNorm(2, 6)(Tensor(np.ones((3, 5)))), r"GroupNorm expected \(\.\.\., 6\)"),
        (lambda: nn.Dropout(1.0), "0 <= rate < 1, got 1.0"),
        (lambda: nn.Conv1d(4, 6, 3, groups=3), "groups that divide 4, 6, got 3"),
        (lambda: nn.Conv1d(4, 6, (3, 3)), r"a kernel of 1 lengths, got \(3, 3\)"),
        (lambda: nn.Conv1d(4, 6, 3)(Tensor(np.ones((2, 11, 5)))),
         r"Conv1d expected \(B, T, 4\), got \(2, 11, 5\)"),
        (lambda: nn.Conv2d(4, 6, 3)(Tensor(np.ones((2, 11, 4)))),
         r"Conv2d expected \(B, H, W, 4\), got \(2, 11, 4\)"),
        (lambda: nn.GRU(3, 5)(Tensor(np.ones((2, 3)))), r"GRU expected \(B, T, 3\), got \(2, 3\)"),
        (lambda: nn.LSTM(3, 5).step(Tensor(np.ones((2, 4))), None), r"LSTM expected \(B, 3\)"),
        (lambda: nn.MLP(3), "two widths or more"),
        (lambda: nn.activation("swoosh"), "no activation 'swoosh'; there are relu"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_embedding_names_bad_ids():
    table = nn.Embedding(7, 3, rng=0)
    with pytest.raises(IndexError, match="ids from 0 to 6, got 2 to 7"):
        table(np.array([2, 7]))
    with pytest.raises(IndexError, match="got -1 to 3"):
        table(np.array([-1, 3]))
    with pytest.raises(TypeError, match="integer ids, got float32"):
        table(Tensor([1.0]))


def test_sequential_refuses_what_cannot_be_called():
    with pytest.raises(TypeError, match="Modules or functions, got 3"):
        nn.Sequential(nn.Linear(2, 3), 3)


def test_sequential_names_its_parts_by_number():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), F.relu, nn.Linear(3, 5, bias=False, rng=0))
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight"]
    assert len(model) == 3
    assert model[1] is F.relu
    x = Tensor(np.ones((7, 2)))
    np.testing.assert_array_equal(model(x).numpy(), model[2](F.relu(model[0](x))).numpy())
    with nn.record(model) as tape:
        model(x)
    assert "2.output" in tape


# ------------------------------------------------------------------------------------- dropout


def test_dropout_drops_the_share_it_should_and_keeps_the_mean():
    drop = nn.Dropout(0.25, rng=0)
    y = drop(Tensor(np.ones((200, 501)))).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    # 100,200 draws: four deviations of the share are 0.0055
    assert abs((y == 0).mean() - 0.25) < 0.0055


def test_dropout_passes_gradients_where_it_passes_numbers():
    x = Tensor(np.ones((7, 11)), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    F.sum(y).backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


def test_dropout_is_the_identity_in_evaluation_and_draws_nothing():
    drop = nn.Dropout(0.5, rng=0).eval()
    x, before = Tensor(np.ones((3, 5))), drop.rng.bit_generator.state
    assert drop(x) is x
    assert drop.rng.bit_generator.state == before
    assert nn.Dropout(0.0).train()(x) is x


# --------------------------------------------------------------------------------------- norms


def test_norms_bring_large_numbers_to_size_one():
    x = Tensor(1e4 * np.random.default_rng(0).standard_normal((5, 7, 6)))
    for norm in (nn.LayerNorm(6), nn.RMSNorm(6), nn.GroupNorm(2, 6), nn.BatchNorm(6)):
        y = norm(x).numpy()
        assert np.isfinite(y).all()
        assert abs((y**2).mean() - 1) < 0.01


def test_batch_norm_against_loops():
    norm, x = widened(nn.BatchNorm(3, momentum=0.4)), real(5, 2, 3)
    y, data = norm(x).numpy(), x.numpy()
    for c in range(3):
        values = [data[i, t, c] for i in range(5) for t in range(2)]
        mean = sum(values) / 10
        spread = sum((v - mean) ** 2 for v in values)
        np.testing.assert_allclose(y[..., c], (data[..., c] - mean) / (spread / 10 + 1e-5) ** 0.5)
        np.testing.assert_allclose(norm.running_mean.numpy()[c], 0.4 * mean)
        np.testing.assert_allclose(norm.running_var.numpy()[c], 0.6 + 0.4 * spread / 9)


def test_batch_norm_gathers_in_training_only_and_is_saved_with_what_it_gathered():
    norm = nn.BatchNorm(3)
    norm(Tensor(np.random.default_rng(0).standard_normal((5, 3)) + 4))
    gathered = {name: value.copy() for name, value in norm.state_dict().items()}
    assert (gathered["running_mean"] > 0.1).all()
    norm.eval()
    norm(Tensor(np.ones((5, 3))))
    other = nn.BatchNorm(3)
    other.load_state_dict(gathered)
    for name, value in norm.state_dict().items():
        np.testing.assert_array_equal(value, gathered[name])
        np.testing.assert_array_equal(value, other.state_dict()[name])


def test_batch_norm_inside_functional_call_leaves_the_module_alone():
    norm = nn.BatchNorm(3)
    given = {"running_mean": Tensor(np.zeros(3)), "running_var": Tensor(np.ones(3))}
    functional_call(norm, given, Tensor(np.arange(15.0).reshape(5, 3)))
    assert not norm.running_mean.numpy().any()
    assert not given["running_mean"].numpy().any()


# ----------------------------------------------------------------------------------- recurrent


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_step_by_step_is_the_sequence(make):
    layer, x = widened(make(3, 5, rng=0)), real(2, 7, 3)
    y, last = layer(x)
    state = layer.init_state(2)
    for t in range(7):
        y_t, state = layer.step(x[:, t], state)
        np.testing.assert_allclose(y_t.numpy(), y.numpy()[:, t], rtol=1e-12)
    for a, b in zip(*((s if isinstance(s, tuple) else (s,)) for s in (state, last)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_a_sequence_in_two_parts_and_an_empty_one(make):
    layer, x = widened(make(3, 5, rng=0)), real(2, 7, 3)
    whole, last = layer(x)
    first, state = layer(x[:, :4])
    nothing, state = layer(x[:, :0], state)
    second, after = layer(x[:, 4:], state)
    assert nothing.shape == (2, 0, 5)
    np.testing.assert_allclose(F.concatenate([first, second], 1).numpy(), whole.numpy(), rtol=1e-12)
    last, after = (s[-1] if isinstance(s, tuple) else s for s in (last, after))
    np.testing.assert_allclose(after.numpy(), last.numpy(), rtol=1e-12)


# ------------------------------------------------------------------------------ another device


@pytest.mark.parametrize("name", LAYERS)
def test_layers_stay_on_their_device(name, standin):
    make, shape, expected = LAYERS[name]
    module = standin.convert(make())
    x = standin.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    y = module(x)
    F.sum(F.square(y)).backward()
    for tensor in (y, x.grad, *(p.grad for p in module.parameters())):
        assert tensor.device == "cuda"
    assert y.shape == expected


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_recurrent_layers_stay_on_their_device(make, standin):
    layer = standin.convert(make(3, 5, rng=0))
    y, _ = layer(standin.tensor(np.ones((2, 4, 3))))
    F.sum(y).backward()
    assert all(p.grad.device == "cuda" for p in layer.parameters())


def test_recurrent_cells_against_their_formulas():
    x, h, c = real(3).numpy(), real(2, seed=1).numpy(), real(2, seed=2).numpy()

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def gates(layer, n):
        found = [p.numpy() for p in layer.parameters()]
        pairs = zip(np.split(found[0], n), np.split(found[2], n), strict=True)
        seen = [w @ x + b for w, b in pairs]
        pairs = zip(np.split(found[1], n), np.split(found[3], n), strict=True)
        return seen, [w @ h + b for w, b in pairs]

    def step(layer, *state):
        state = [Tensor(s[None], dtype=np.float64) for s in state]
        return layer.step(
            Tensor(x[None], dtype=np.float64), tuple(state) if state[1:] else state[0]
        )

    gru, lstm = widened(nn.GRU(3, 2, rng=0)), widened(nn.LSTM(3, 2, rng=0))
    (sr, sz, sn), (kr, kz, kn) = gates(gru, 3)
    z = sigmoid(sz + kz)
    expected = (1 - z) * np.tanh(sn + sigmoid(sr + kr) * kn) + z * h
    np.testing.assert_allclose(step(gru, h)[0].numpy()[0], expected, rtol=1e-12)
    (si, sf, sg, so), (ki, kf, kg, ko) = gates(lstm, 4)
    memory = sigmoid(sf + kf) * c + sigmoid(si + ki) * np.tanh(sg + kg)
    y, (_, after) = step(lstm, h, c)
    np.testing.assert_allclose(after.numpy()[0], memory, rtol=1e-12)
    np.testing.assert_allclose(y.numpy()[0], sigmoid(so + ko) * np.tanh(memory), rtol=1e-12)
