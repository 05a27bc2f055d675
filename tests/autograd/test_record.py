"""Naming, reading, replacing and differentiating what happens inside a computation."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.record import Tape, listening, note, within
from minitx.autograd.transforms import grad
from minitx.nn.module import Module, Parameter, record
from tests.autograd.battery import names_in, real


class Layer(Module):
    def __init__(self, scale):
        self.scale = Parameter([scale])

    def forward(self, x):
        inside = note("inside", F.broadcast_to(self.scale, x.shape) * x)
        return F.softmax(inside)


class Model(Module):
    def __init__(self):
        self.layers = [Layer(2.0), Layer(3.0)]
        self.head = self.layers[1]  # the same part under two names

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def test_a_note_without_listener_is_its_argument():
    x = Tensor([1.0])
    assert note("x", x) is x


def test_what_is_heard_has_full_names():
    model, x = Model(), Tensor([[1.0, 2.0, 4.0]])
    with record(model) as tape:
        y = model(x)
    assert tape.names() == [
        "layers.0.inside", "layers.0.output", "layers.1.inside", "layers.1.output", "output",
    ]  # fmt: skip
    assert tape["output"] is y
    assert len(tape.all("layers.1.output")) == 2  # it ran twice
    assert tape["layers.0.inside"].tolist() == [[2, 4, 8]]
    assert "layers.0.inside" in tape and "nonsense" not in tape
    with pytest.raises(KeyError, match=r"nothing was recorded as 'nonsense'; there are \['layers"):
        tape["nonsense"]
    model(x)  # nobody listens any more
    assert len(tape.all("output")) == 1


def test_recording_changes_no_value():
    model, x = Model(), Tensor([[1.0, 2.0, 4.0]])
    with record(model):
        heard = model(x)
    np.testing.assert_allclose(heard.numpy(), model(x).numpy(), rtol=1e-6)


def test_fused_primitives_run_as_their_naive_twins():
    x = Tensor([[1.0, 2.0]], requires_grad=True)
    assert names_in(F.softmax(x)) == {"softmax"}
    with listening(Tape()):
        assert "softmax" not in names_in(F.softmax(x))
    assert names_in(F.softmax(x)) == {"softmax"}


def test_the_weights_of_attention_are_heard():
    q, k, v = (real(1, 2, 3, 4, seed=i) for i in range(3))
    with listening(Tape()) as tape, within("mixer"):
        y = F.attention(q, k, v, causal=True)
    weights = tape["mixer.weights"].numpy()
    assert weights.shape == (1, 2, 3, 3)
    np.testing.assert_allclose(weights.sum(-1), 1)
    np.testing.assert_array_equal(np.triu(weights, 1), np.zeros_like(weights))
    np.testing.assert_allclose(weights @ v.numpy(), y.numpy())


def test_a_replacement_is_what_the_model_goes_on_with():
    model, x = Model(), Tensor([[1.0, 2.0, 4.0]])
    with record(model, replace={"layers.0.output": lambda t: F.zeros_like(t)}) as tape:
        model(x)
    assert tape["layers.0.output"].tolist() == [[0, 0, 0]]
    assert tape.all("layers.1.inside")[0].tolist() == [[0, 0, 0]]


def test_gradients_with_respect_to_an_intermediate():
    model, x = Model(), real(1, 3)

    def loss_from(inside):
        with record(model, replace={"layers.0.inside": lambda _: inside}):
            return F.sum(F.square(model(x)))

    inside = real(1, 3, seed=1)
    got = grad(loss_from)(inside).numpy()
    step = 1e-6
    for i in range(3):
        moved = np.zeros((1, 3))
        moved[0, i] = step
        up, down = (loss_from(inside + sign * moved).item() for sign in (1, -1))
        assert got[0, i] == pytest.approx((up - down) / (2 * step), abs=1e-8)


def test_an_error_inside_ends_the_listening():
    model = Model()
    model.layers[1].forward = lambda x: 1 / 0
    with pytest.raises(ZeroDivisionError), record(model):
        model(Tensor([[1.0]]))
    assert note("x", 3) == 3
    assert names_in(F.softmax(Tensor([[1.0]], requires_grad=True))) == {"softmax"}


def test_a_module_outside_of_the_recorded_one_keeps_silent():
    model, stranger = Model(), Layer(1.0)
    with record(model) as tape:
        stranger(Tensor([[1.0]]))
    assert tape.names() == ["inside"]  # its notes are heard, its output has no name
