"""Module: its parts and their names, its state, its modes, its summary."""

import copy

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.transforms import grad
from minitx.nn.module import Buffer, Module, Parameter, functional_call


class Affine(Module):
    def __init__(self, rows, columns, seed=0):
        self.rng = np.random.default_rng(seed)
        self.weight = Parameter(self.rng.standard_normal((rows, columns)))
        self.bias = Parameter(np.zeros(rows))
        self.calls = Buffer([0])

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Net(Module):
    def __init__(self):
        self.first = Affine(3, 2)
        self.blocks = [Affine(3, 3, 1), {"a": Affine(5, 3, 2)}]
        self.scales = [Parameter([2.0]), Parameter([3.0])]
        self.tied = self.first.weight
        self.again = self.first
        self.name, self.width = "net", 7

    def forward(self, x):
        return self.blocks[1]["a"](self.blocks[0](self.first(x))) * self.scales[0]


NAMES = [
    "scales.0", "scales.1", "tied", "first.bias", "blocks.0.weight", "blocks.0.bias",
    "blocks.1.a.weight", "blocks.1.a.bias",
]  # fmt: skip


def test_parameters_are_named_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert len({id(p) for p in net.parameters()}) == len(net.parameters()) == len(NAMES)
    assert [name for name, _ in net.named_buffers()] == [
        "first.calls", "blocks.0.calls", "blocks.1.a.calls",
    ]  # fmt: skip
    assert [name for name, _ in net.named_generators()] == [
        "first.rng",
        "blocks.0.rng",
        "blocks.1.a.rng",
    ]
    assert [name for name, _ in net.children()] == ["first", "blocks.0", "blocks.1.a", "again"]


def test_state_goes_out_and_in_again():
    source, target = Net(), Net()
    for p in source.parameters():
        p.assign(p.numpy() + 1)
    state = source.state_dict()
    assert "again.weight" in state and "tied" in state  # every name that a Tensor has
    target.load_state_dict(state)
    for name, value in target.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    assert target.tied is target.first.weight
    assert target.first.weight.data is not state["first.weight"]
    target.load_state_dict({"scales.0": [7.0]}, strict=False)
    assert target.scales[0].tolist() == [7]


def test_a_state_that_does_not_fit_changes_nothing_and_is_described():
    net = Net()
    before = {name: value.copy() for name, value in net.state_dict().items()}
    state = {**before, "first.bias": np.zeros(4), "stranger": np.zeros(1)}
    state = {name: np.asarray(value) + 1 for name, value in state.items()}
    del state["scales.1"]
    with pytest.raises(ValueError, match="does not fit Net") as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "first.bias: expected shape (3,), got (4,)" in text
    assert "scales.1: missing" in text
    assert "stranger: not a part of this model" in text
    with pytest.raises(ValueError, match="expected shape"):
        net.load_state_dict({"first.bias": np.zeros(4)}, strict=False)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_parameter_has_numbers_of_its_own():
    source = np.ones(2, np.float32)
    first, second, buffer = Parameter(source), Parameter(source), Buffer(source)
    first.data[0] = 9
    assert second.tolist() == buffer.tolist() == source.tolist() == [1, 1]
    assert Parameter(first).tolist() == [9, 1] and Parameter(first).data is not first.data
    assert first.role == "parameter" and first.requires_grad
    assert buffer.role == "buffer" and not buffer.requires_grad
    with pytest.raises(TypeError, match="got int64"):
        Parameter([1])


def test_parameters_in_a_tuple_are_not_lost_in_silence():
    class Wrong(Module):
        def __init__(self):
            self.weights = (Parameter([1.0]), Parameter([2.0]))

    with pytest.raises(TypeError, match="weights: keep parameters and buffers in a list"):
        Wrong().parameters()


def test_modes_and_freezing():
    net = Net()
    assert net.training
    net.eval()
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())
    net.first.freeze()
    assert not net.first.weight.requires_grad and net.scales[0].requires_grad
    x = Tensor(np.ones((4, 2)))
    F.sum(net(x)).backward()
    assert net.first.weight.grad is None and net.scales[0].grad is not None
    net.zero_grad()
    assert net.scales[0].grad is None
    net.first.freeze(False)
    assert net.first.weight.requires_grad


def test_a_copy_is_independent_and_keeps_its_ties():
    net = Net()
    twin = copy.deepcopy(net)
    assert twin.tied is twin.first.weight and twin.tied is not net.tied
    twin.tied.data[...] = 0
    assert net.tied.numpy().any()
    assert twin.first.rng is not net.first.rng
    assert twin.first.rng.random() == net.first.rng.random()
    assert [n for n, _ in twin.named_parameters()] == NAMES


def test_to_moves_numbers_and_gradients():
    net = Net()
    net.phase = Parameter([1j])
    F.sum(net(Tensor(np.ones((4, 2))))).backward()
    before = net.tied.grad.numpy()
    net.to(np.float64)
    assert net.tied.dtype == net.tied.grad.dtype == np.float64
    assert net.phase.dtype == np.complex128
    assert net.first.calls.dtype == np.int64
    np.testing.assert_array_equal(net.tied.grad.numpy(), before)
    assert net(Tensor(np.ones((4, 2)), dtype=np.float64)).dtype == np.float64
    assert net.tied is net.first.weight
    for bad in (np.int32, "complex64"):
        with pytest.raises(TypeError, match="real dtype"):
            net.to(bad)
    with pytest.raises(ImportError, match=r'pip install "minitx\[gpu\]"'):
        net.to("cuda")


def test_the_summary_counts_every_parameter_once():
    text = Net().summary()
    count = sum(p.size for p in Net().parameters())
    assert text.splitlines()[-1].split() == ["total", str(count)]
    assert "scales.0 (1,)" in text and "blocks.1.a" in text
    assert text.count("weight (3, 2)") + text.count("tied (3, 2)") == 1


def test_functional_call_swaps_and_puts_back():
    net, x = Net(), Tensor(np.ones((4, 2)))
    before = net(x).numpy()
    doubled = {name: p.detach() * 2 for name, p in net.named_parameters()}
    twice = functional_call(net, doubled, x).numpy()
    assert not np.allclose(twice, before)
    np.testing.assert_array_equal(net(x).numpy(), before)
    zero = functional_call(net, {"scales.0": [0.0]}, x)
    assert not zero.numpy().any()
    tied = grad(lambda w: F.sum(functional_call(net, {"tied": w}, x)))(net.tied.detach())
    assert tied.numpy().any()  # the first layer uses it under another name
    net.blocks[0].forward = lambda x: 1 / 0
    with pytest.raises(ZeroDivisionError):
        functional_call(net, doubled, x)
    assert net.tied.tolist() == net.first.weight.tolist() != doubled["tied"].tolist()
    with pytest.raises(ValueError, match=r"Net has no parameters or buffers \['nonsense'\]"):
        functional_call(net, {"nonsense": x}, x)
    with pytest.raises(ValueError, match=r"shape \(1,\), got \(4, 2\)"):
        functional_call(net, {"scales.0": x}, x)


def test_a_module_without_forward_says_so():
    class Empty(Module):
        pass

    with pytest.raises(TypeError, match="Empty does not define forward"):
        Empty()(1)
    assert repr(Net()).startswith("Net(first=Affine")
