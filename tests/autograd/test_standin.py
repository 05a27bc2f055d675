"""Every function, forwards and backwards, on arrays that refuse to become NumPy's."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.primitive import Primitive
from minitx.autograd.spaces import TABLE
from minitx.autograd.transforms import checkpoint, grad, hvp, jacobian, jvp, vjp
from minitx.autograd.tree import flatten
from minitx.nn.module import Buffer, Module, Parameter
from tests.autograd.calls import CALLS, PUBLIC, Maker
from tests.standin import Array, Leak

NOWHERE = {"full", "zeros", "ones", "eye"}  # made from nothing, so they are made on the CPU


def results(call, array):
    """Outputs and gradients of a call."""
    maker = Maker(array)
    outputs = [out for out in flatten(call(maker))[0] if isinstance(out, Tensor)]
    for out in outputs:
        if out.requires_grad:
            F.sum(F.real(out * 1.5)).backward(retain_graph=True)  # outputs share a graph
    return outputs, [leaf.grad for leaf in maker.leaves]


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - NOWHERE))
def test_every_function_stays_on_its_device(name, standin, broadcasting):
    outputs, gradients = results(CALLS[name], standin.array)
    expected_outputs, expected_gradients = results(CALLS[name], lambda x: x)
    for got, expected in zip(
        [*outputs, *gradients], [*expected_outputs, *expected_gradients], strict=True
    ):
        assert (got is None) == (expected is None)
        if got is not None:
            assert type(got.data) is Array
            assert got.device == "cuda"
            np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_transforms_stay_on_the_device(standin):
    def f(x):
        return F.sum(F.tanh(x * x) * x)

    x, t = standin.tensor([0.5, -1.0, 2.0]), standin.tensor([1.0, 0.0, -1.0])
    assert type(grad(f)(x).data) is Array
    assert type(hvp(f, x, t).data) is Array
    assert type(jvp(F.exp, (x,), (t,))[1].data) is Array
    assert type(vjp(F.exp, x)[1](t)[0].data) is Array
    assert type(jacobian(lambda x: x * x, x).data) is Array
    assert type(grad(lambda x: checkpoint(f, x))(x).data) is Array
    plain = hvp(f, Tensor(x.numpy()), Tensor(t.numpy()))
    np.testing.assert_allclose(hvp(f, x, t).numpy(), plain.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["gelu", "softmax", "layer_norm", "attention", "cross_entropy"])
def test_second_derivatives_of_fused_primitives_stay_there(name, standin, broadcasting):
    def gradient_of_gradient(array):
        maker = Maker(array)
        CALLS[name](maker)  # the arguments
        values = maker.leaves

        def f(xs):
            again, given = Maker(array), iter(xs)
            again.tensor = lambda _: next(given)
            return F.sum(F.square(CALLS[name](again)))

        return grad(lambda xs: sum(F.sum(F.square(g)) for g in grad(f)(xs)))(values)

    for got, expected in zip(
        gradient_of_gradient(standin.array), gradient_of_gradient(lambda x: x), strict=True
    ):
        assert type(got.data) is Array
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=2e-3, atol=1e-4)


def test_constants_of_numpy_are_brought_over(standin):
    x = standin.tensor([1.0, 2.0, 3.0])
    for result in (
        x + np.ones(3), np.ones(3) * x, x * np.float64(2), F.where(np.arange(3) > 1, x, 0),
        F.where([True, False, True], x, np.zeros(3)), x[np.array([0, 0])], x > np.ones(3),
        F.embedding(x, np.array([2, 0])), F.concatenate([np.ones(2), x, [1.0]]),
        F.stack([x, np.ones(3)]),
    ):  # fmt: skip
        assert type(result.data) is Array


def test_two_devices_do_not_mix(standin):
    with pytest.raises(ValueError, match="one device, got cuda, cpu"):
        standin.tensor([1.0]) + Tensor([1.0])


def test_a_module_is_converted(standin):
    class Affine(Module):
        def __init__(self):
            self.weight, self.scales = Parameter(np.ones((2, 3))), [Buffer(np.ones((2, 1)))]

        def forward(self, x):
            return F.linear(x, self.weight * self.scales[0])

    model = standin.convert(Affine())
    loss = F.sum(model(standin.tensor(np.ones((2, 3)))))
    loss.backward()
    assert type(model.weight.grad.data) is Array
    assert type(model.state_dict()["weight"]) is np.ndarray  # saving is an explicit copy
    model.load_state_dict({"weight": np.zeros((2, 3)), "scales.0": np.ones((2, 1))})
    assert type(model.weight.data) is Array


LEAKS = {
    "computes with NumPy": lambda xp, x: np.exp(x),
    "converts": lambda xp, x: xp.asarray(np.asarray(x)),
    "reduces with NumPy": lambda xp, x: np.sum(x),
    "adds a NumPy array": lambda xp, x: x + np.ones(3, np.float32),
    "passes a NumPy array": lambda xp, x: xp.add(x, np.ones(3, np.float32)),
    "indexes with a NumPy array": lambda xp, x: x[np.array([0, 1])],
    "writes into a NumPy array": lambda xp, x: np.add(x, x, out=np.empty(3, np.float32)),
    "assigns to a NumPy array": lambda xp, x: np.empty(3).__setitem__(slice(None), x),
    "calls what CuPy has not": lambda xp, x: xp.vecdot(x, x),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_caught(name, standin):
    leaking = Primitive("leaking", LEAKS[name], None)
    with pytest.raises((Leak, AttributeError)):
        leaking(standin.tensor([1.0, 2.0, 3.0]))


def test_a_leak_in_a_rule_is_caught(standin):
    leaking = Primitive("leaking", lambda xp, x: x * 2, lambda F, g, y, x: np.multiply(g, 2))
    x = standin.tensor([1.0], requires_grad=True)
    with pytest.raises(Leak, match=r"numpy\.multiply"):
        F.sum(leaking(x)).backward()
    assert "leaking" not in TABLE
