"""grad, vjp, jvp, hvp, jacobian: of functions, of derivatives, over trees, through closures."""

import itertools

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor, no_grad
from minitx.autograd.check import check_grads
from minitx.autograd.transforms import grad, hvp, jacobian, jvp, value_and_grad, vjp
from minitx.nn.module import Module, Parameter, functional_call
from tests.autograd.battery import cplx, real


def f64(*values):
    return Tensor(values, dtype=np.float64)


def test_derivatives_of_derivatives():
    f = lambda x: F.sin(x) * x  # noqa: E731
    exact = [
        lambda x: np.cos(x) * x + np.sin(x),
        lambda x: 2 * np.cos(x) - np.sin(x) * x,
        lambda x: -3 * np.sin(x) - np.cos(x) * x,
        lambda x: -4 * np.cos(x) + np.sin(x) * x,
    ]
    for reference in exact:
        f = grad(f)
        assert f(Tensor(0.7, dtype=np.float64)).item() == pytest.approx(reference(0.7), rel=1e-12)


def test_no_perturbation_confusion():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0).item() == 1
    assert grad(lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1])(3.0).item() == 6
    inner = jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))
    assert inner[1].item() == 1


def test_modes_can_be_nested_in_every_order():
    """d^2/dx^2 of exp(sin x) by forward and reverse mode over each other."""

    def forward(f):
        return lambda x: jvp(f, (x,), (F.ones_like(x),))[1]

    f = lambda x: F.exp(F.sin(x))  # noqa: E731
    s, c = np.sin(0.7), np.cos(0.7)
    exact = np.exp(s) * (c**3 - 3 * s * c - c)
    for modes in itertools.product([grad, forward], repeat=3):
        g = f
        for mode in modes:
            g = mode(g)
        assert g(Tensor(0.7, dtype=np.float64)).item() == pytest.approx(exact, rel=1e-11)


def test_hvp_and_jacobian_agree():
    a = real(4, 4)

    def f(x):
        return F.sum(F.tanh(a @ x)) * F.sum(x * x)

    x, t = real(4, seed=1), real(4, seed=2)
    hessian = jacobian(grad(f), x).numpy()
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10)
    np.testing.assert_allclose(hvp(f, x, t).numpy(), hessian @ t.numpy(), rtol=1e-10)


def test_a_value_that_does_not_depend_on_the_argument():
    assert grad(lambda x: Tensor(3.0))(f64(1.0, 2.0)).tolist() == [0, 0]
    assert jvp(lambda x: Tensor([3.0]), (f64(1.0),), (f64(1.0),))[1].tolist() == [0]
    assert hvp(lambda x: F.sum(x * 2), f64(1.0, 2.0), f64(1.0, 1.0)).tolist() == [0, 0]


def test_closures_over_parameters_stay_differentiable():
    w = Tensor([3.0], requires_grad=True)
    inner = grad(lambda x: F.sum(w * x * x))(Tensor([2.0]))
    assert inner.tolist() == [12]
    inner.sum().backward()
    assert w.grad.tolist() == [4]  # d/dw of 2 w x
    outer = grad(lambda a: F.sum(grad(lambda b: F.sum(a * a * b * b))(Tensor([2.0]))))(
        Tensor([3.0])
    )
    assert outer.tolist() == [24]  # d/da of 2 a^2 b


def test_a_leaf_is_not_written_to_by_grad():
    w = Tensor([3.0], requires_grad=True)
    x = Tensor([2.0], requires_grad=True)
    grad(lambda x: F.sum(w * x))(x)
    assert w.grad is None and x.grad is None


def test_trees_in_and_out():
    tree = {"a": f64(1.0, 2.0), "b": [f64(3.0), (f64(4.0), 5.0)]}

    def f(tree, scale):
        a, (b, (c, d)) = tree["a"], tree["b"]
        return F.sum(a * a) * scale + F.sum(b * c * d)

    value, found = value_and_grad(f)(tree, 2.0)
    assert value.item() == 70
    assert found["a"].tolist() == [4, 8]
    assert found["b"][0].tolist() == [20]
    assert found["b"][1][0].tolist() == [15]
    assert found["b"][1][1].item() == 12
    ones = {"a": f64(1.0, 1.0), "b": [f64(1.0), (f64(1.0), 1.0)]}
    assert jvp(lambda t: {"y": f(t, 2.0)}, (tree,), (ones,))[1]["y"].item() == 12 + 47
    assert hvp(lambda t: f(t, 1.0), tree, ones)["b"][0].tolist() == [9]


def test_aux_is_handed_through_without_its_graph():
    (value, aux), found = value_and_grad(lambda x: (F.sum(x * x), {"twice": x * 2, "n": 3}), True)(
        f64(1.0, 2.0)
    )
    assert value.item() == 5 and found.tolist() == [2, 4]
    assert aux["twice"].tolist() == [2, 4] and aux["n"] == 3
    assert not aux["twice"].requires_grad and not value.requires_grad
    assert grad(lambda x: (F.sum(x * x), "note"), has_aux=True)(f64(1.0))[1] == "note"


def test_vjp_may_be_pulled_again_and_differentiated_in_its_cotangents():
    x, u = real(3), real(3, seed=1)
    value, pull = vjp(lambda x: (F.sin(x), x * x), x)
    assert len(value) == 2
    first, second = pull((u, u))[0], pull((u, u))[0]
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    exact = (np.cos(x.data) + 2 * x.data) * u.data
    np.testing.assert_allclose(first.numpy(), exact)
    # one cotangent constant, one not
    got = grad(lambda v: F.sum(pull((u, v))[0]))(u)
    np.testing.assert_allclose(got.numpy(), 2 * x.data)
    check_grads(lambda x, u: vjp(F.tanh, x)[1](u)[0], x, u)


def test_jacobian_of_every_kind():
    x = real(2, 3)
    a = jacobian(lambda x: F.sum(x * x, 1), x)
    assert a.shape == (2, 2, 3)
    np.testing.assert_allclose(a.numpy(), 2 * np.eye(2)[:, :, None] * x.numpy())
    assert jacobian(lambda x: F.sum(x), x).shape == (2, 3)
    assert jacobian(lambda x: x[:0], x).shape == (0, 3, 2, 3)
    z = cplx(3)
    np.testing.assert_allclose(jacobian(F.exp, z).numpy(), np.diag(np.exp(z.numpy())))
    t = real(3)
    np.testing.assert_allclose(
        jacobian(lambda t: F.exp(t * 1j), t).numpy(), np.diag(1j * np.exp(1j * t.numpy()))
    )
    both = jacobian(lambda p: {"y": p["a"] * p["b"], "z": F.sum(p["a"])}, {"a": t, "b": f64(2.0)})
    np.testing.assert_allclose(both["y"]["a"].numpy(), 2 * np.eye(3))
    np.testing.assert_allclose(both["y"]["b"].numpy(), t.numpy()[:, None])
    assert both["z"]["a"].tolist() == [1, 1, 1] and both["z"]["b"].tolist() == [0]
    second = jacobian(lambda x: jacobian(lambda x: F.sum(x**3), x), t)
    np.testing.assert_allclose(second.numpy(), np.diag(6 * t.numpy()))


def test_complex_gradients_follow_the_convention():
    """For a real loss the gradient is dL/da + i dL/db: the direction of steepest ascent."""
    z = cplx(4)
    np.testing.assert_allclose(grad(lambda z: F.sum(F.abs(z) ** 2))(z).numpy(), 2 * z.numpy())
    w = z.numpy() ** 2
    np.testing.assert_allclose(
        grad(lambda z: F.sum(F.real(z * z * z)))(z).numpy(), np.conj(3 * w), rtol=1e-12
    )


class Quadratic(Module):
    def __init__(self):
        self.w, self.b = Parameter([1.0, 2.0], np.float64), Parameter([0.5, 0.25], np.float64)

    def forward(self, x):
        return self.w * x * x + self.b


def test_weights_as_arguments():
    model, x = Quadratic(), f64(3.0, 4.0)
    weights = {name: w.detach() for name, w in model.named_parameters()}

    def f(weights):
        return functional_call(model, weights, x)

    assert grad(lambda w: F.sum(f(w)))(weights)["w"].tolist() == [9, 16]
    tangent = {"w": f64(1.0, 0.0), "b": f64(0.0, 1.0)}
    assert jvp(f, (weights,), (tangent,))[1].tolist() == [9, 1]
    assert vjp(f, weights)[1](f64(1.0, 2.0))[0]["w"].tolist() == [9, 32]
    assert jacobian(f, weights)["w"].tolist() == [[9, 0], [0, 16]]
    assert model.w.grad is None and model.w.tolist() == [1, 2]


def test_transforms_under_no_grad():
    with no_grad():
        assert grad(lambda x: F.sum(x**3))(f64(2.0)).tolist() == [12]
        assert hvp(lambda x: F.sum(x**3), f64(2.0), f64(1.0)).tolist() == [12]


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda x: grad(lambda x: x * 2)(x), ValueError, r"returns one number, got \(2,\)"),
        (lambda x: grad(lambda x: (x, x))(x), ValueError, "returns one number"),
        (lambda x: grad(lambda x: F.sum(x))(np.arange(3)), TypeError, "got int64"),
        (lambda x: grad(lambda p: Tensor(1.0))({}), ValueError, "at least one Tensor"),
        (lambda x: jvp(F.exp, (x,), (x[:1],)), ValueError, r"\[\(2,\)\], got \[\(1,\)\]"),
        (lambda x: jvp(F.mul, (x, x), (x,)), ValueError, r"got \[\(2,\)\]"),
        (lambda x: vjp(F.exp, x)[1](x[:1]), ValueError, r"\[\(2,\)\], got \[\(1,\)\]"),
        (lambda x: vjp(lambda x: (x, x), x)[1](x), ValueError, r"\[\(2,\), \(2,\)\]"),
    ],
)
def test_bad_input_is_named(act, error, message):
    with pytest.raises(error, match=message):
        act(f64(1.0, 2.0))
