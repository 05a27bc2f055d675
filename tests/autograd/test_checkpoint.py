"""Recomputation: the same derivatives for less memory, whatever the function closes over."""

import tracemalloc

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor, no_grad
from minitx.autograd.check import check_grads
from minitx.autograd.record import Tape, listening, note
from minitx.autograd.transforms import checkpoint, grad, hvp, jvp, vjp
from minitx.nn.module import Module, Parameter, functional_call
from tests.autograd.battery import real


def block(x):
    return F.tanh(x) * F.exp(-x * x)


def test_derivatives_of_both_orders_and_modes():
    x = real(2, 3)
    check_grads(lambda x: checkpoint(block, x), x)
    check_grads(lambda x, y: checkpoint(lambda a, b: a @ b, x, y), real(2, 3), real(3, 5))
    check_grads(
        lambda x: checkpoint(lambda t: {"a": t["x"] * 2, "b": [F.sin(t["x"])]}, {"x": x}), x
    )
    check_grads(lambda x: checkpoint(lambda x: checkpoint(block, block(x)) * x, x), x)
    check_grads(lambda x: checkpoint(lambda a, b: a * b, x, x), x)
    plain = grad(lambda x: F.sum(block(block(x))))(x)
    nested = grad(lambda x: F.sum(checkpoint(lambda x: checkpoint(block, block(x)), x)))(x)
    np.testing.assert_allclose(nested.numpy(), plain.numpy(), rtol=1e-14)


def test_parameters_it_closes_over():
    w = Tensor([2.0, 3.0], requires_grad=True)
    scaled = w * 2  # not a leaf, and older than the checkpoint
    x = Tensor([5.0, 7.0], requires_grad=True)
    checkpoint(lambda x: x * w * scaled, x).sum().backward()
    assert w.grad.tolist() == [2 * 2 * 5 * 2, 2 * 2 * 7 * 3]
    assert x.grad.tolist() == [8, 18]
    w.grad = None
    checkpoint(lambda: F.sum(w * w)).backward()  # no arguments at all
    assert w.grad.tolist() == [4, 6]
    inner = grad(lambda x: F.sum(checkpoint(lambda x: x * x * w, x)))(x.detach())
    inner.sum().backward()  # d/dw of 2 x w
    assert w.grad.tolist() == [4 + 10, 6 + 14]


def test_inside_a_gradient_of_a_gradient():
    x, t = real(3), real(3, seed=1)
    f = lambda x: F.sum(F.sin(x) ** 3)  # noqa: E731
    cheap = lambda x: checkpoint(f, x)  # noqa: E731
    np.testing.assert_allclose(hvp(cheap, x, t).numpy(), hvp(f, x, t).numpy(), rtol=1e-12)
    third = lambda f: grad(lambda x: F.sum(grad(lambda x: F.sum(grad(f)(x)))(x)))(x)  # noqa: E731
    np.testing.assert_allclose(third(cheap).numpy(), third(f).numpy(), rtol=1e-12)
    over = grad(lambda x: F.sum(checkpoint(lambda x: grad(f)(x), x)))(x)
    np.testing.assert_allclose(over.numpy(), grad(lambda x: F.sum(grad(f)(x)))(x).numpy())


def test_outputs_that_are_used_in_part_or_not_at_all():
    x = real(3)
    for chosen in (0, 1):
        got = grad(lambda x, i=chosen: F.sum(checkpoint(lambda x: (x * x, F.sin(x)), x)[i]))(x)
        expected = [2 * x.numpy(), np.cos(x.numpy())][chosen]
        np.testing.assert_allclose(got.numpy(), expected)
        _, pushed = jvp(
            lambda x, i=chosen: checkpoint(lambda x: (x * x, F.sin(x)), x)[i], (x,), (x,)
        )
        np.testing.assert_allclose(pushed.numpy(), expected * x.numpy())
    mixed = checkpoint(lambda x: (x * 2, x.detach(), 3), Tensor(x, requires_grad=True))
    assert mixed[0].requires_grad and not mixed[1].requires_grad and mixed[2] == 3
    assert not checkpoint(block, x).requires_grad
    with no_grad():
        assert not checkpoint(block, Tensor(x, requires_grad=True)).requires_grad


def test_it_draws_the_same_random_numbers_again():
    rng = np.random.default_rng(3)

    def drop(x):
        return x * Tensor((rng.random(x.shape) < 0.5) * 2.0)

    x = Tensor(np.ones(64), requires_grad=True)
    y = checkpoint(lambda x: drop(drop(x) * x), x, rng=rng)
    after = rng.bit_generator.state
    y.sum().backward()
    assert rng.bit_generator.state == after  # what is drawn next is not disturbed
    np.testing.assert_array_equal(x.grad.numpy(), 2 * y.numpy())
    assert 0 < (y.numpy() > 0).sum() < 64


def test_a_function_that_is_not_the_same_again_is_an_error():
    rng = np.random.default_rng(3)
    x = Tensor(np.ones(64), requires_grad=True)
    y = checkpoint(lambda x: x * Tensor(rng.random(64)), x)
    with pytest.raises(RuntimeError, match="generator that the function draws from as rng="):
        y.sum().backward()
    w = Tensor([2.0], requires_grad=True)
    y = checkpoint(lambda x: x * w, x)
    w.assign([3.0])
    with pytest.raises(RuntimeError):
        y.sum().backward()


def test_the_generator_is_put_back_when_the_replay_fails():
    rng, calls = np.random.default_rng(3), []

    def fails_the_second_time(x):
        calls.append(rng.random())
        if len(calls) == 2:
            raise KeyError("no")
        return x * 2

    y = checkpoint(fails_the_second_time, Tensor([1.0], requires_grad=True), rng=rng)
    after = rng.bit_generator.state
    with pytest.raises(KeyError):
        y.sum().backward()
    assert rng.bit_generator.state == after


class Cheap(Module):
    def __init__(self):
        self.w = Parameter([2.0, 3.0], np.float64)

    def forward(self, x):
        return F.sum(checkpoint(lambda x: x * x * self.w, x))


def test_weights_given_from_outside_are_there_again_in_the_replay():
    model, x = Cheap(), Tensor([5.0, 7.0], dtype=np.float64)
    weights = {"w": Tensor([10.0, 20.0], dtype=np.float64)}
    found = grad(lambda w: functional_call(model, w, x))(weights)
    assert found["w"].tolist() == [25, 49]
    _, pull = vjp(lambda w, x: functional_call(model, w, x), weights, x)
    assert pull(Tensor(1.0, dtype=np.float64))[1].tolist() == [100, 280]
    assert model.w.tolist() == [2, 3]
    check_grads(lambda w, x: functional_call(model, {"w": w}, x), model.w.detach(), x)


def test_what_is_recorded_is_recorded_once():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with listening(Tape(replace={"inside": lambda t: t * 10})) as tape:
        y = checkpoint(lambda x: note("inside", x * x), x)
    y.sum().backward()  # outside the block: the replacement must still hold
    assert len(tape.all("inside")) == 1
    assert y.tolist() == [10, 40] and x.grad.tolist() == [20, 40]


def peak(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_really_lower():
    start = np.ones((64, 1024), np.float32)

    def train(wrap):
        x = Tensor(start, requires_grad=True)
        y = x
        for _ in range(8):
            y = wrap(lambda y: F.tanh(F.sin(F.exp(F.tanh(F.sin(y * 0.5))))), y)
        F.sum(y).backward()

    plain, cheap = peak(lambda: train(lambda f, y: f(y))), peak(lambda: train(checkpoint))
    assert cheap < 0.5 * plain, f"{cheap / 1e6:.1f} MB with checkpoint, {plain / 1e6:.1f} without"
