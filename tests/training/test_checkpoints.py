"""Checkpoints: whole after any interruption, refused when damaged, and never half-loaded."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")

from minitx import Tensor, nn, training
from minitx.training import folder as folders
from tests.training import runs

ROOT = Path(__file__).parents[2]
unix = pytest.mark.skipif(os.name == "nt", reason="signals and limits of file sizes are Unix's")


@pytest.fixture
def saved(tmp_path):
    """A folder with a checkpoint of step 4."""
    run = runs.trainer()
    run.train(4)
    run.save(tmp_path / "run")
    return tmp_path / "run"


def state_of(run):
    """A copy of all that loading could change."""
    copied = {name: value.copy() for name, value in runs.everything(run).items()}
    generators = [rng.bit_generator.state for _, rng in run.model.named_generators()]
    generators += [rng.bit_generator.state for rng in run.generators.values()]
    return copied, str(generators), run.step


def refused(path, message, run=None, error=ValueError):
    """Loading raises, says what is wrong, and has changed nothing."""
    run = run or runs.trainer()
    before = state_of(run)
    with pytest.raises(error, match=message):
        run.resume(path)
    after = state_of(run)
    assert after[1:] == before[1:]
    for name, value in before[0].items():
        np.testing.assert_array_equal(after[0][name], value, err_msg=name)


def test_a_checkpoint_is_three_files_that_others_can_read(saved):
    from safetensors.numpy import load_file

    names = sorted(path.name for path in saved.iterdir())
    assert names == ["model.safetensors", "optimizer.safetensors", "state.json"]
    assert set(load_file(saved / "model.safetensors")) == set(runs.trainer().model.state_dict())
    assert json.loads((saved / "state.json").read_text())["step"] == 4


def test_other_files_in_the_folder_stay(saved):
    (saved / "config.json").write_text("{}")
    run = runs.trainer()
    run.resume(saved)
    run.save(saved)
    assert (saved / "config.json").read_text() == "{}"


# --------------------------------------------------------------------------- damaged, or another's


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused(saved, name, share):
    data = (saved / name).read_bytes()
    (saved / name).write_bytes(data[: int(share * len(data))])
    refused(saved, f"{name}.* damaged|{name} expected")


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
def test_one_wrong_byte_is_refused(saved, name):
    data = bytearray((saved / name).read_bytes())
    data[-5] ^= 1
    (saved / name).write_bytes(data)
    refused(saved, "damaged, or belongs to another save")


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    refused(saved, name, error=FileNotFoundError)


def test_files_of_different_saves_are_refused(saved, tmp_path):
    run = runs.trainer()
    run.train(5)
    run.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", saved)
    refused(saved, "belongs to another save")


def test_another_models_checkpoint_is_refused(saved):
    refused(saved, r"0\.weight: expected shape \(8, 3\)", runs.trainer(width=8))


def test_another_optimisers_checkpoint_is_refused(saved):
    run = runs.trainer(optimiser=lambda groups: training.Lion(groups))
    refused(saved, "kind expected Lion, got AdamW", run)


def test_other_generators_are_refused(saved):
    rng = np.random.default_rng(0)
    run = runs.trainer(runs.draws(rng), generators={"noise": rng})
    refused(saved, "expected generators", run)
    other = np.random.Generator(np.random.MT19937(0))
    run = runs.trainer(runs.draws(other), generators={"data": other})
    refused(saved, "state of generator data is wrong", run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(form="another"), "expected the form"),
        (lambda s: s.update(step="4"), "expected step as int, got '4'"),
        (lambda s: s.pop("files"), "expected files as dict"),
        (lambda s: s["files"].clear(), "expected the files"),
        (lambda s: s["files"].update({"../../secret": "0"}), "expected the files"),
        (lambda s: s["generators"]["data"].pop("state"), "generator data is wrong"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(saved, change, message):
    path = saved / "state.json"
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))
    refused(saved, message)


def test_a_checkpoint_of_weights_alone_has_no_optimiser(tmp_path):
    model = nn.Linear(2, 3, rng=0)
    training.save_checkpoint(model, tmp_path, step=7, extra={"note": [1.5, "x"]})
    other = nn.Linear(2, 3, rng=1)
    found = training.load_checkpoint(other, tmp_path)
    assert found == {"step": 7, "extra": {"note": [1.5, "x"]}}
    np.testing.assert_array_equal(other.weight.numpy(), model.weight.numpy())
    with pytest.raises(ValueError, match="state of an optimiser, found none"):
        training.load_checkpoint(other, tmp_path, training.SGD(other.parameters(), 0.1))


def test_what_json_cannot_hold_is_refused_before_anything_is_lost(saved):
    model = nn.Linear(2, 3, rng=0)
    with pytest.raises(TypeError, match="numbers, text, lists"):
        training.save_checkpoint(model, saved, extra={"function": print})
    assert runs.trainer().resume(saved) == 4


# ------------------------------------------------------------------------------ kinds of numbers


class Mixed(nn.Module):
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.complex = nn.Parameter(rng.normal(size=(2, 3)) + 1j, dtype=np.complex64)
        self.wide = nn.Parameter(rng.normal(size=5) + 2j, dtype=np.complex128)
        self.double = nn.Parameter(rng.normal(size=(3, 0)), dtype=np.float64)
        self.number = nn.Parameter(rng.normal(size=()))
        self.counts = nn.Buffer(rng.integers(5, size=7))
        self.tied = [self.number]


@pytest.mark.parametrize(
    "bits", [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox]
)
def test_every_dtype_and_generator_comes_back(tmp_path, bits):
    model, other = Mixed(0), Mixed(1)
    rng, same = np.random.Generator(bits(5)), np.random.Generator(bits(6))
    rng.standard_normal(3)
    rng.integers(7, dtype=np.int32)  # leaves half a draw behind
    training.save_checkpoint(model, tmp_path, generators={"rng": rng})
    training.load_checkpoint(other, tmp_path, generators={"rng": same})
    for name, value in model.state_dict().items():
        loaded = other.state_dict()[name]
        assert loaded.dtype == value.dtype
        np.testing.assert_array_equal(loaded, value, err_msg=name)
    assert rng.integers(100, size=9, dtype=np.int32).tolist() == (
        same.integers(100, size=9, dtype=np.int32).tolist()
    )


def test_weights_alone(tmp_path):
    model, other = nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=1)
    training.save_weights(model, tmp_path)
    training.load_weights(other, tmp_path)
    weight, bias = (parameter.data.base for parameter in other.parameters())
    assert weight is bias is not None  # parts of one array
    np.testing.assert_array_equal(other.weight.numpy(), model.weight.numpy())
    with pytest.raises(FileNotFoundError, match=r"expected a file model\.safetensors, found none"):
        training.load_weights(other, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="weight: expected shape"):
        training.load_weights(nn.Linear(3, 2, rng=0), tmp_path)


def test_loading_nothing_that_could_run_code(tmp_path):
    import pickle

    (tmp_path / "model.safetensors").write_bytes(pickle.dumps({"weight": np.ones((3, 2))}))
    with pytest.raises(ValueError, match="damaged"):
        training.load_weights(nn.Linear(2, 3, rng=0), tmp_path)


# -------------------------------------------------------------------------------- interrupted saves


def points_of_a_save(monkeypatch):
    """Make every call with which a save touches the disk countable, and able to fail."""
    calls = {"left": None}

    def guard(function):
        def guarded(*args, **kwargs):
            if calls["left"] is not None:
                if calls["left"] == 0:
                    raise KeyboardInterrupt
                calls["left"] -= 1
            return function(*args, **kwargs)

        return guarded

    for name in ("rename", "replace", "fsync"):
        monkeypatch.setattr(folders.os, name, guard(getattr(os, name)))
    # a killed process does not tidy up behind itself
    monkeypatch.setattr(folders.shutil, "rmtree", guard(lambda *_, **__: None))
    return calls


@pytest.mark.parametrize("point", range(12))
def test_a_save_that_stops_at_any_point_leaves_the_old_or_the_new_one(saved, monkeypatch, point):
    run = runs.trainer()
    run.resume(saved)
    run.train(6)
    with monkeypatch.context() as patch:
        points_of_a_save(patch)["left"] = point
        try:
            run.save(saved)
            stopped = False
        except KeyboardInterrupt:
            stopped = True
    assert stopped == (point < 11), (
        "a save touches the disk more or less often than this test knows"
    )
    again = runs.trainer()
    step = again.resume(saved)
    assert step in (4, 6)
    straight = runs.trainer()
    straight.train(step)
    runs.same(straight, again)
    again.save(saved)  # and the next save works
    assert runs.trainer().resume(saved) == step
    assert len(list(saved.iterdir())) == 3


KILLED = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from tests.training import runs
    run = runs.trainer()
    print("ready", flush=True)
    while True:
        run.train(run.step + 1)
        run.save(sys.argv[2])
"""


@unix
def test_kill_9_during_saves_leaves_a_whole_checkpoint(tmp_path):
    """A process that does nothing but save is killed at random; what it leaves must be whole."""
    delays, steps = random.Random(0), []
    straight = runs.trainer()
    for attempt in range(30):
        if attempt >= 6 and max(steps) > 1:  # on a busy machine some do not come to a second save
            break
        folder = tmp_path / str(attempt)
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(ROOT), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            while not (folder / "state.json").exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(delays.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        run = runs.trainer()
        steps.append(run.resume(folder))
        straight = runs.trainer()
        straight.train(steps[-1])
        runs.same(straight, run)
    assert max(steps) > 1, "no process lived long enough to save twice"


@unix
def test_a_full_disk_leaves_the_old_checkpoint(saved):
    """Files may not grow beyond 4,000 bytes, as if the disk were full."""
    import resource

    run = runs.trainer(width=300)
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limit[1]))
    try:
        with pytest.raises(OSError, match=r"model\.safetensors|large|space"):
            run.save(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, heard)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert runs.trainer().resume(saved) == 4


def test_without_safetensors_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r'pip install "minitx\[train\]"'):
        training.save_weights(nn.Linear(2, 3, rng=0), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_does_not_hold_on_to_the_weights(saved):
    """What was loaded is a copy: the file may change, the optimiser's buffers are its own."""
    run = runs.trainer()
    run.resume(saved)
    held = run.optimiser.groups[0].flats[0]
    run.train(5)
    assert run.model[0].weight.data is held.views[0]
    assert isinstance(run.model[0].weight, Tensor)
