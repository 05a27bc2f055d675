"""Parts of a batch on threads: the same gradients, the same bits, and when it is not done."""

import threading

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn, no_grad, training
from minitx.backend import threads as blas
from minitx.nn import losses, record
from minitx.training.parallel import on_threads

RNG = np.random.default_rng(1)
INPUTS = RNG.standard_normal((11, 3)).astype(np.float32)
TARGETS = np.sin(INPUTS.sum(axis=1, keepdims=True))


def network(*extra):
    return nn.Sequential(nn.Linear(3, 7, rng=0), F.tanh, *extra, nn.Linear(7, 1, rng=1))


class Spy:
    """A loss that remembers on which threads it ran and how many rows it was given."""

    def __init__(self):
        self.threads, self.rows = set(), []

    def __call__(self, model, batch):
        self.threads.add(threading.current_thread().name)
        self.rows.append(len(batch["x"]))
        return losses.mse(model(F.tensor(batch["x"])), batch["y"])

    @property
    def was_parallel(self):
        return all(name.startswith("minitx") for name in self.threads)


def batch(rows):
    return {"x": INPUTS[:rows], "y": TARGETS[:rows]}


def swept(model, loss, given):
    """(value, gradients) as NumPy's."""
    for p in model.parameters():
        p.grad = None
    value = loss(model, given)
    value.backward()
    return value.item(), [p.grad.numpy().copy() for p in model.parameters()]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("rows", [1, 2, 7, 11])
def test_value_and_gradients_are_those_of_one_thread(rows, count):
    model, spy = network(), Spy()
    value, gradients = swept(model, on_threads(spy, count), batch(rows))
    assert spy.was_parallel == (count > 1 and rows > 1)
    assert sum(spy.rows) == rows and len(spy.rows) == min(rows, count)
    assert max(spy.rows) - min(spy.rows) <= 1
    expected, wanted = swept(model, Spy(), batch(rows))
    assert value == pytest.approx(expected, rel=1e-6)
    for got, want in zip(gradients, wanted, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)


def test_the_same_bits_on_every_run():
    results = []
    for _ in range(8):
        value, gradients = swept(network(), on_threads(Spy(), 3), batch(11))
        results.append([value, *(g.tobytes() for g in gradients)])
    assert all(result == results[0] for result in results)


def test_a_parameter_that_the_loss_does_not_reach_has_no_gradient():
    model = network()
    model.spare = nn.Parameter(np.ones(2))
    on_threads(Spy(), 2)(model, batch(7)).backward()
    assert model.spare.grad is None


def test_what_comes_after_the_loss_is_swept_too():
    model, spy = network(), Spy()
    _, once = swept(model, on_threads(spy, 2), batch(7))
    _, scaled = swept(model, lambda m, b: on_threads(spy, 2)(m, b) * 0.5, batch(7))
    for half, whole in zip(scaled, once, strict=True):
        np.testing.assert_allclose(half, 0.5 * whole, rtol=1e-6)


def test_a_model_that_draws_random_numbers_runs_on_one_thread():
    spy = Spy()
    swept(network(nn.Dropout(0.5, rng=2)), on_threads(spy, 2), batch(7))
    assert spy.threads == {threading.current_thread().name} and spy.rows == [7]


def test_without_a_graph_it_runs_on_one_thread():
    spy = Spy()
    with no_grad():
        assert not on_threads(spy, 2)(network(), batch(7)).requires_grad
    assert not spy.was_parallel


def test_a_listener_hears_the_whole_batch():
    model, spy = network(), Spy()
    with record(model) as tape:
        on_threads(spy, 2)(model, batch(7))
    assert not spy.was_parallel
    assert tape[tape.names()[-1]].shape[0] == 7


def test_a_browser_runs_on_one_thread(monkeypatch):
    monkeypatch.setattr("minitx.training.parallel.can_start_threads", lambda: False)
    spy = Spy()
    swept(network(), on_threads(spy, 2), batch(7))
    assert not spy.was_parallel


def test_a_trainer_with_threads_takes_the_same_way():
    weights = []
    for count in (1, 2, 2):
        model = network()
        optimiser = training.AdamW(model.parameters(), lr=0.01)
        batches = training.Shuffled(INPUTS, TARGETS, batch_size=5, rng=3)
        loss = on_threads(lambda m, b: losses.mse(m(F.tensor(b[0])), b[1]), count)
        training.Trainer(model, optimiser, batches, loss, clip=1.0, accumulate=2).train(9)
        weights.append(model.state_dict())
    for name, one in weights[0].items():
        np.testing.assert_allclose(weights[1][name], one, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(weights[1][name], weights[2][name])


def test_an_error_on_a_thread_comes_out_and_leaves_everything_in_order():
    def fails(model, given):
        if given["x"][0, 0] != INPUTS[0, 0]:  # the second part alone
            raise KeyError("a mistake in the loss")
        return losses.mse(model(F.tensor(given["x"])), given["y"])

    model, calls = network(), blas._calls()
    before = calls and calls[0]()
    with pytest.raises(KeyError, match="a mistake in the loss"):
        on_threads(fails, 2)(model, batch(7))
    assert (calls and calls[0]()) == before
    assert all(p.grad is None for p in model.parameters())
    value, _ = swept(model, on_threads(Spy(), 2), batch(7))  # the pool still works
    assert value == pytest.approx(swept(model, Spy(), batch(7))[0], rel=1e-6)


def test_products_use_one_thread_each_meanwhile():
    if blas._calls() is None:
        pytest.skip("NumPy's BLAS cannot be asked")
    seen = []

    def loss(model, given):
        seen.append(blas._calls()[0]())
        return losses.mse(model(F.tensor(given["x"])), given["y"])

    swept(network(), on_threads(loss, 2), batch(7))
    assert seen == [1, 1]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="threads of 1 or more, got 0"):
        on_threads(Spy(), 0)
    uneven = {"x": INPUTS[:7], "y": TARGETS[:5]}
    with pytest.raises(ValueError, match=r"as many rows each, got \[7, 5\]"):
        on_threads(Spy(), 2)(network(), uneven)


def test_a_second_backward_is_refused_not_wrong():
    model = network()
    loss = on_threads(Spy(), 2)(model, batch(7))
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match=r"second backward.*without threads"):
        loss.backward()
