"""Parts of a batch on processes: the bits of threads, what reaches a copy, and how copies end."""

import gc
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn, training
from minitx.backend.processes import can_fork
from minitx.nn import losses
from minitx.training.parallel import on_threads
from minitx.training.processes import Contents, on_processes
from tests.backend.test_processes import children
from tests.training.test_parallel import INPUTS, TARGETS, batch, network, swept

pytestmark = pytest.mark.skipif(not can_fork(), reason="needs Linux's fork")


def loss(model, given):
    return losses.mse(model(F.tensor(given["x"])), given["y"])


def where(model, given):
    """A loss that says in which processes it was computed: the mean of their numbers."""
    return F.tensor(np.float64(os.getpid())) + 0.0 * F.astype(loss(model, given), np.float64)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("rows", [2, 7, 11])
def test_the_bits_are_those_of_threads(rows, count):
    model = network()
    value, gradients = swept(model, on_processes(loss, count), batch(rows))
    expected, wanted = swept(model, on_threads(loss, count), batch(rows))
    assert value == expected
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_array_equal(got, want)


def test_training_takes_the_same_way():
    weights = []
    for on in (on_threads, on_processes):
        model = network()
        optimiser = training.AdamW(model.parameters(), lr=0.01)
        batches = training.Shuffled(INPUTS, TARGETS, batch_size=5, rng=3)
        mean = on(lambda m, b: losses.mse(m(F.tensor(b[0])), b[1]), 2)
        training.Trainer(model, optimiser, batches, mean, clip=1.0).train(9)
        weights.append(model.state_dict())
    for name, one in weights[0].items():
        np.testing.assert_array_equal(weights[1][name], one)


def test_the_parts_are_computed_in_processes_of_their_own():
    value = on_processes(where, 2)(network(), batch(8)).item()
    assert value != os.getpid()


def test_copies_are_told_of_buffers_and_made_anew_for_another_mode():
    class Scaled(nn.Module):
        def __init__(self):
            self.layer, self.scale = nn.Linear(3, 1, rng=0), nn.Buffer(np.float32(1.0))

        def forward(self, x):
            return self.layer(x) * self.scale * (1.0 if self.training else 3.0)

    model, parted = Scaled(), on_processes(loss, 2)
    for change in (lambda: None, lambda: model.scale.assign(np.float32(5.0)), model.eval):
        change()
        value, gradients = swept(model, parted, batch(8))
        expected, wanted = swept(model, on_threads(loss, 2), batch(8))
        assert value == expected
        np.testing.assert_array_equal(gradients[0], wanted[0])


def test_another_model_has_copies_of_its_own():
    parted = on_processes(loss, 2)
    for model in (network(), nn.Sequential(nn.Linear(3, 1, rng=4))):
        assert swept(model, parted, batch(7))[0] == swept(model, on_threads(loss, 2), batch(7))[0]


def test_a_parameter_that_the_loss_does_not_reach_has_no_gradient():
    model = network()
    reached = model.parameters()
    model.spare = nn.Parameter(np.ones(2))
    on_processes(loss, 2)(model, batch(7)).backward()
    assert model.spare.grad is None and all(p.grad is not None for p in reached)


def test_a_gradient_of_one_part_alone_is_kept():
    """Only the rows of the second part reach the first layer: its gradient is their process's."""

    def second_half(model, given):
        x = F.tensor(given["x"])
        first = given["x"][0, 0] == INPUTS[0, 0]
        return losses.mse(
            model[2](F.tanh(F.tensor(np.ones((4, 7)))) if first else model[1](model[0](x))),
            given["y"],
        )

    model, parted = network(), on_processes(second_half, 2)
    parted(model, batch(8)).backward()
    gradient = model.parameters()[0].grad
    held = gradient.numpy().copy()
    assert np.abs(held).max() > 0
    for p in model.parameters():
        p.assign(2 * p.numpy())
    parted(model, batch(8))  # the process writes others into the memory that both share
    np.testing.assert_array_equal(gradient.numpy(), held)
    expected = swept(network(), on_threads(second_half, 2), batch(8))[1][0]
    np.testing.assert_array_equal(held, expected)


def test_an_error_in_a_process_comes_out_with_its_traceback():
    def fails(model, given):
        if given["x"][0, 0] != INPUTS[0, 0]:  # the second part alone
            raise KeyError("a mistake in the loss")
        return loss(model, given)

    parted = on_processes(fails, 2)
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*KeyError: 'a mistake in the loss'"):
        parted(network(), batch(7))
    with pytest.raises(RuntimeError, match="a mistake in the loss"):  # and again, with new copies
        parted(network(), batch(7))


def test_a_gradient_beside_the_model_is_refused():
    other = F.tensor(np.float32(2.0))
    other.requires_grad = True
    with pytest.raises(RuntimeError, match="model's parameters alone"):
        on_processes(lambda m, b: loss(m, b) * other, 2)(network(), batch(7))


def test_an_error_here_leaves_no_process_behind():
    before = children()

    def fails(model, given):
        if given["x"][0, 0] == INPUTS[0, 0]:  # the first part alone
            raise KeyError("here")
        return loss(model, given)

    with pytest.raises(KeyError, match="here"):
        on_processes(fails, 2)(network(), batch(7))
    gc.collect()
    assert children() <= before


def test_the_processes_end_with_the_loss():
    before = children()
    parted = on_processes(loss, 3)
    parted(network(), batch(7))
    assert len(children() - before) == 2
    del parted
    gc.collect()
    assert children() <= before


ORPHANS = """
import os, sys, time
import numpy as np
from minitx import functional as F, nn
from minitx.backend.processes import can_fork
from minitx.nn import losses
from minitx.training.processes import Contents, on_processes
x = np.ones((6, 3), np.float32)
parted = on_processes(lambda m, b: losses.mse(m(F.tensor(b)), b[:, :1]), 3)
parted(nn.Linear(3, 1, rng=0), x)
print(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read(), flush=True)
time.sleep(60)
"""


def test_the_processes_end_when_the_first_is_killed():
    first = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True)
    others = [int(child) for child in first.stdout.readline().split()]
    assert len(others) == 2
    first.send_signal(signal.SIGKILL)
    first.communicate()
    for _ in range(100):
        if not any(map(is_there, others)):
            return
        time.sleep(0.05)
    raise AssertionError("the copies are still there")


def is_there(process):
    """Whether it runs: one that has ended may wait for somebody to ask."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_elsewhere_it_is_threads(monkeypatch):
    monkeypatch.setattr("minitx.training.processes.can_fork", lambda: False)
    before = children()
    parted = on_processes(loss, 2)
    value, _ = swept(network(), parted, batch(7))
    assert children() <= before
    assert value == swept(network(), on_threads(loss, 2), batch(7))[0]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="1 or more, got 0"):
        on_processes(loss, 0)
    uneven = {"x": INPUTS[:7], "y": TARGETS[:5]}
    with pytest.raises(ValueError, match=r"as many rows each, got \[7, 5\]"):
        on_processes(loss, 2)(network(), uneven)


def test_another_tree_of_the_same_shapes_is_not_mistaken():
    def squares(model, given):
        return losses.mse(model(F.tensor(given["x"])), F.tensor(given["y"]))

    x, y = INPUTS[:8], INPUTS[:8, ::-1].copy() * 3
    model, parted = nn.Sequential(nn.Linear(3, 3, rng=0)), on_processes(squares, 2)
    for given in ({"x": x, "y": y}, {"y": y, "x": x}):
        assert swept(model, parted, given)[0] == swept(model, on_threads(squares, 2), given)[0]


def test_a_replaced_layer_is_trained_on_the_whole_batch():
    model, parted = network(), on_processes(loss, 2)
    swept(model, parted, batch(8))
    model.parts[2] = nn.Linear(7, 1, rng=9)
    got, want = (swept(model, on, batch(8)) for on in (parted, on_threads(loss, 2)))
    assert got[0] == want[0]
    np.testing.assert_array_equal(got[1][-1], want[1][-1])


def test_contents_are_unchanged_by_a_step_and_changed_by_all_else():
    model = network()
    model.table = {"a": 1.5, "b": 2.5}
    contents, optimiser = Contents(model), training.AdamW(model.parameters(), lr=0.01)
    loss(model, batch(8)).backward()
    optimiser.step()
    assert contents.unchanged(model) and not contents.unchanged(network())

    def swap():
        model.table = dict(zip(model.table, reversed(model.table.values())))

    def rename():
        model.table["c"] = model.table.pop("a")

    changes = (swap, rename, model.eval, lambda: model.parts.append(nn.Linear(1, 1, rng=0)),
               lambda: setattr(model, "new", None))  # fmt: skip
    for change in changes:
        contents = Contents(model)
        assert contents.unchanged(model)
        change()
        assert not contents.unchanged(model)


def test_a_model_that_begins_to_draw_is_run_here_and_one_that_counts_is_not_copied_anew():
    model, parted = network(), on_processes(where, 2)
    first = parted(model, batch(8)).item()
    model.steps = 1000  # nothing that a step depends on
    assert parted(model, batch(8)).item() == first != os.getpid()
    assert parted(model, batch(8)).item() == first
    model.parts.append(nn.Dropout(0.5, rng=0))
    assert parted(model, batch(8)).item() == os.getpid()
    model.parts.pop()
    model.parts[0].weight.requires_grad = False  # of the tensors, not of what holds them
    assert parted(model, batch(8)).item() not in (first, os.getpid())


def test_a_loss_may_write_into_its_batch_and_take_tensors():
    def scaled(model, given):
        given["x"] *= 2
        return losses.mse(model(F.tensor(given["x"])), given["y"])

    fresh = lambda: {name: array.copy() for name, array in batch(8).items()}  # noqa: E731
    got, want = (swept(network(), on(scaled, 2), fresh())[0] for on in (on_processes, on_threads))
    assert got == want
    tensors = {name: F.tensor(array) for name, array in batch(8).items()}
    product = lambda model, given: losses.mse(model(given["x"]), given["y"])  # noqa: E731
    assert on_processes(product, 2)(network(), tensors).item() > 0
