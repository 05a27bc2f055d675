"""``backward`` takes the graph down on its way: what it frees, forbids and spares."""

import tracemalloc

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.transforms import checkpoint, grad, vjp
from tests.autograd.battery import real


def leaf(*values):
    return Tensor(values, dtype=np.float64, requires_grad=True)


def test_a_second_backward_is_an_error_that_says_what_to_do():
    x = leaf(1.0, 2.0)
    loss = F.sum(x * x)
    loss.backward()
    with pytest.raises(RuntimeError, match=r"a second time to <sum .*retain_graph=True.*or run"):
        loss.backward()
    assert x.grad.tolist() == [2, 4]


def test_a_graph_that_is_retained_can_be_swept_again():
    x = leaf(1.0, 2.0)
    loss = F.sum(F.softmax(x) * x)
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * once, rtol=1e-14)
    with pytest.raises(RuntimeError, match="a second time"):
        loss.backward()


def two_losses():
    x = leaf(1.0, 2.0)
    trunk = F.tanh(x)
    return x, trunk, F.sum(trunk * 3), F.sum(trunk * trunk)


def test_two_losses_that_share_a_trunk():
    x, trunk, first, second = two_losses()
    (first + second).backward()
    together = x.grad.numpy()
    t = np.tanh([1.0, 2.0])
    np.testing.assert_allclose(together, (3 + 2 * t) * (1 - t * t), rtol=1e-12)

    x, trunk, first, second = two_losses()
    first.backward(retain_graph=True)
    second.backward()
    np.testing.assert_allclose(x.grad.numpy(), together, rtol=1e-14)

    x, trunk, first, second = two_losses()
    first.backward()
    before = x.grad.numpy().copy()
    with pytest.raises(RuntimeError, match="a second time to <"):
        second.backward()
    np.testing.assert_array_equal(x.grad.numpy(), before)  # a failed sweep leaves no half sum
    np.testing.assert_array_equal(trunk.numpy(), t)  # the numbers of a Tensor are its own


def test_a_new_graph_over_the_numbers_of_an_old_one():
    _, trunk, first, _ = two_losses()
    first.backward()
    y = leaf(5.0, 7.0)
    F.sum(y * trunk.detach()).backward()
    np.testing.assert_allclose(y.grad.numpy(), np.tanh([1.0, 2.0]))
    with pytest.raises(RuntimeError, match="a second time"):
        F.sum(y * trunk).backward()  # what was built on the old graph leads into it


def held_after(retain):
    """Bytes that a graph of eight layers holds once it has been swept, its loss still there."""
    x = Tensor(np.ones((64, 1024)), requires_grad=True)
    tracemalloc.start()
    try:
        y = x
        for _ in range(8):
            y = F.tanh(F.exp(y * 0.5))
        loss = F.sum(y)
        del y
        full = tracemalloc.get_traced_memory()[0]
        loss.backward(retain_graph=retain)
        x.grad = None
        return tracemalloc.get_traced_memory()[0], full, loss.item()
    finally:
        tracemalloc.stop()


def test_its_memory_is_free_as_soon_as_it_has_been_swept():
    kept, full, _ = held_after(retain=True)
    left, _, _ = held_after(retain=False)
    assert full > 8 * 2 * 64 * 1024 * 4
    assert kept > 0.9 * full
    assert left < 0.01 * full, f"{left / 1e3:.0f} kB of {full / 1e3:.0f} are still held"


def test_the_transforms_keep_their_graph():
    x = real(3)
    _, pull = vjp(lambda x: F.sin(x) * x, x)
    u = real(3, seed=1)
    for _ in range(3):
        expected = u.numpy() * (np.cos(x.numpy()) * x.numpy() + np.sin(x.numpy()))
        np.testing.assert_allclose(pull(u)[0].numpy(), expected, rtol=1e-12)


def test_backward_through_a_gradient():
    x = leaf(0.3, 2.0)
    inner = grad(lambda x: F.sum(x**3))(x)  # 3 x^2
    F.sum(inner * x).backward()
    np.testing.assert_allclose(x.grad.numpy(), 9 * x.numpy() ** 2, rtol=1e-12)
    with pytest.raises(RuntimeError, match="a second time"):
        F.sum(inner).backward()


def test_a_checkpoint_is_recomputed_for_each_sweep_of_a_retained_graph():
    x, calls = leaf(0.3, 2.0), []
    loss = F.sum(checkpoint(lambda x: calls.append(1) or F.sin(x), x))
    loss.backward(retain_graph=True)
    loss.backward()
    assert len(calls) == 3
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.cos(x.numpy()), rtol=1e-12)


def test_it_works_with_several_outputs_of_which_one_is_used():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    first, second = F.split(x, 2)
    F.sum(second * second).backward()
    assert x.grad.tolist() == [0, 0, 6, 8]
    with pytest.raises(RuntimeError, match="a second time"):
        F.sum(first).backward()
