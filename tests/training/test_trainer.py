"""The Trainer: what a step is, that resuming is exact, that it stops at NaN."""

import math

import numpy as np
import pytest

from minitx import Tensor, nn, training
from minitx import functional as F
from minitx.nn import losses
from tests.training import runs


def test_it_learns():
    run = runs.trainer(clip=math.inf)
    history = run.train(150)
    assert history["step"] == list(range(1, 151))
    assert np.mean(history["loss"][-20:]) < 0.8 * np.mean(history["loss"][:20])


def test_a_step_is_the_mean_of_its_batches():
    """Two batches of 5 accumulated are one of 10, for a model without batch statistics."""
    results = []
    for size, accumulate in ((10, 1), (5, 2)):
        model = nn.Linear(3, 1, rng=0).to(np.float64)
        batches = [
            (runs.INPUTS[i : i + size], runs.TARGETS[i : i + size]) for i in range(0, 20, size)
        ]
        run = training.Trainer(
            model,
            training.SGD(model.parameters(), lr=0.1),
            batches,
            lambda model, batch: losses.mse(model(Tensor(batch[0], dtype=np.float64)), batch[1]),
            accumulate=accumulate,
        )
        run.train(4)
        results.append((model.weight.numpy().copy(), run.history["loss"]))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12)


def test_the_schedule_scales_the_rate_and_clipping_the_gradient():
    p = nn.Module()
    p.x = nn.Parameter(np.zeros(1), dtype=np.float64)
    run = training.Trainer(
        p,
        training.SGD(p.parameters(), lr=1.0),
        [3.0],
        lambda model, batch: F.sum(model.x * batch),
        schedule=training.schedules.linear(4),
        clip=2.0,
    )
    run.train(3)
    assert p.x.item() == -2 * (1 + 0.75 + 0.5)
    assert run.history["norm"] == [3.0, 3.0, 3.0]


OPTIMISERS = {
    "AdamW": None,
    "momentum": lambda groups: training.SGD(groups, lr=0.05, momentum=0.9, weight_decay=0.1),
    "Lion": lambda groups: training.Lion(groups, lr=0.003, weight_decay=0.1),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("kind", ["drawn", "shuffled", "listed"])
def test_resuming_goes_on_bit_for_bit(kind, optimiser, tmp_path):
    pytest.importorskip("safetensors")

    def make():
        batches = {
            "drawn": lambda: None,
            "shuffled": runs.shuffled,
            "listed": lambda: [
                (runs.INPUTS[i : i + 5], runs.TARGETS[i : i + 5]) for i in (0, 7, 11)
            ],
        }[kind]()
        return runs.trainer(batches, OPTIMISERS[optimiser])

    straight = make()
    straight.train(17)
    first = make()
    first.train(8)
    first.save(tmp_path / "run")
    first.train(11)  # what happens after the save is lost
    second = make()
    assert second.resume(tmp_path / "run") == 8
    second.train(17)
    runs.same(straight, second)


def test_saving_changes_nothing(tmp_path):
    pytest.importorskip("safetensors")
    plain, saving = runs.trainer(), runs.trainer()
    saving.callbacks.append(training.save_every(3, tmp_path))
    plain.train(10)
    saving.train(10)
    runs.same(plain, saving)
    assert saving.saved == (9, str(tmp_path))


@pytest.mark.parametrize("what", ["loss", "gradient's norm"])
def test_it_stops_at_nan_and_keeps_the_last_good_checkpoint(what, tmp_path):
    pytest.importorskip("safetensors")
    run = runs.trainer(callbacks=[training.save_every(2, tmp_path)])
    good = run.loss

    def turns_bad(model, batch):
        loss = good(model, batch)
        if run.step < 5:
            return loss
        if what == "loss":
            return loss * float("nan")
        return loss + F.sum(F.sqrt(F.square(model[0].bias) * 0))  # 0, but 0 / 0 backwards

    run.loss = turns_bad
    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLoss) as raised:
        run.train(9)
    message = str(raised.value)
    assert f"the {what} is nan at step 6" in message
    assert f"the last checkpoint is of step 4 in {tmp_path}" in message
    assert all(np.isfinite(value).all() for value in run.model.state_dict().values())
    again = runs.trainer()
    assert again.resume(tmp_path) == 4


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    pytest.importorskip("safetensors")
    run = runs.trainer()
    run.train(1)
    run.save(tmp_path)
    run.model[0].weight.assign(np.full((7, 3), np.nan))
    with pytest.raises(ValueError, match=r"not saved: .* in 0\.weight"):
        run.save(tmp_path)
    assert runs.trainer().resume(tmp_path) == 1


def test_batches_that_run_out_are_told():
    run = runs.trainer(iter([(runs.INPUTS, runs.TARGETS)] * 5))
    with pytest.raises(ValueError, match="the batches ran out after step 2"):
        run.train(9)


def test_shuffled_goes_through_all_in_every_epoch_in_a_new_order():
    batches = training.Shuffled(np.arange(12), np.arange(12) * 2, batch_size=4, rng=0)
    epochs = []
    for _ in range(3):
        pairs = [next(batches) for _ in range(3)]
        assert all((b == 2 * a).all() for a, b in pairs)
        epochs.append(np.concatenate([a for a, _ in pairs]).tolist())
        assert sorted(epochs[-1]) == list(range(12))
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 7])
def test_shuffled_state(taken):
    first = training.Shuffled(np.arange(11), batch_size=4, rng=0)
    for _ in range(taken):
        next(first)
    second = training.Shuffled(np.arange(11), batch_size=4, rng=99)
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        np.testing.assert_array_equal(next(first)[0], next(second)[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: training.Shuffled(np.ones(3), np.ones(4), batch_size=2),
        lambda: training.Shuffled(np.ones(3), batch_size=4),
        lambda: training.Cycle([]),
        lambda: training.every(0, print),
        lambda: runs.trainer(accumulate=0),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_callbacks_and_the_bar(capsys):
    pytest.importorskip("tqdm")
    seen = []
    run = runs.trainer(callbacks=[training.every(3, lambda t: seen.append(t.step))])
    run.callbacks.append(training.progress_bar(7, ascii=True))
    run.train(7)
    assert seen == [3, 6]
    assert "7/7" in capsys.readouterr().err


def test_the_loss_plot():
    pytest.importorskip("matplotlib").use("agg")
    run = runs.trainer()
    run.train(3)
    (line,) = run.plot().axes[0].lines
    assert line.get_ydata().tolist() == run.history["loss"]
