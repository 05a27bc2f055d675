"""``minitx train`` in a process of its own: it trains, goes on, stops, counts its bits."""

import json
import math
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from minitx import cli, no_grad, tokens
from minitx.commands import text_model
from minitx.data import read_text
from tests.commands.runs import TINY, environment, kill_when, minitx, text

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


def said(output):
    """The bits per character of the last line."""
    return float(re.fullmatch(r"validation: (\d+\.\d{3}) bits per character", last(output))[1])


def last(output):
    return output.splitlines()[-1]


def bits_by_a_loop(folder, file):
    """The definition: one held-out token at a time, from up to ``length`` tokens before it."""
    model, tokenizer, settings = text_model.load(folder)
    whole, length = read_text(file), settings["length"]
    cut = len(whole) - round(len(whole) / 10)
    known = tokenizer.encode(whole[:cut], add_special_tokens=False)
    ids = known + tokenizer.encode(whole[cut:], add_special_tokens=False)
    heard = []  # how many tokens before it each was predicted from
    bits, end = 0.0, len(known)
    while end < len(ids):
        begin, end = end, min(end + length // 2, len(ids))
        start = end - 1 - length
        with no_grad():
            logits = model(np.array([ids[start : end - 1]])).numpy()[0].astype(np.float64)
        for place in range(begin, end):
            row = logits[place - 1 - start]
            chance = np.exp(row - row.max()) / np.exp(row - row.max()).sum()
            bits -= math.log2(chance[ids[place]])
            heard.append(place - start)
    assert len(heard) == len(ids) - len(known)
    assert length // 2 < min(heard) and max(heard) <= length
    return bits / (len(whole) - cut)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, text, output) of a run of six steps."""
    folder = tmp_path_factory.mktemp("train")
    file = text(folder)
    status, out, complaints = minitx("train", "--text", file, "--out", folder / "model", *TINY)
    assert status == 0, complaints
    assert complaints == ""
    return folder / "model", file, out


def test_it_trains_and_says_what_it_made(trained):
    folder, file, out = trained
    assert "1,200 characters, " in out and " parameters" in out
    assert f"minitx generate --checkpoint {folder}" in out
    assert json.loads((folder / "config.json").read_text("utf-8"))["d_model"] == 8
    assert tokens.load(folder).vocab_size == len(set(read_text(file)))


def test_its_bits_are_those_of_a_loop(trained):
    folder, file, out = trained
    assert said(out) == pytest.approx(bits_by_a_loop(folder, file), abs=6e-4)


def test_the_same_seed_gives_the_same_run(trained, tmp_path):
    folder, file, out = trained
    again = minitx("train", "--text", file, "--out", tmp_path / "model", *TINY)[1]
    assert again.replace(str(tmp_path / "model"), str(folder)) == out
    for name in ("model.safetensors", "optimizer.safetensors", "state.json"):
        assert (tmp_path / "model" / name).read_bytes() == (folder / name).read_bytes()


def test_with_bpe_the_bits_are_still_per_character(tmp_path):
    file = text(tmp_path)
    size = ["--tokenizer", "bpe", "--vocab-size", 270]
    status, out, complaints = minitx(
        "train", "--text", file, "--out", tmp_path / "model", *size, *TINY
    )
    assert status == 0, complaints
    assert "270 tokens in the vocabulary" in out
    assert said(out) == pytest.approx(bits_by_a_loop(tmp_path / "model", file), abs=6e-4)


def train(*arguments):
    """Train in this process."""
    assert cli.main(["train", *map(str, arguments)]) == 0


def test_to_resume_is_to_go_on(trained, tmp_path):
    folder, file, _ = trained
    copy = shutil.copytree(folder, tmp_path / "copy")
    more = ["--resume", "--steps", 9, "--samples", 0]
    status, out, complaints = minitx("train", "--text", file, "--out", copy, *more)
    assert status == 0, complaints
    assert "going on from step 6\n" in out
    state = json.loads((copy / "state.json").read_text("utf-8"))
    assert state["step"] == 9 and len(state["extra"]["history"]["loss"]) == 9


PRESSED = """
import os, signal
from minitx.training import Trainer
gradients = Trainer._gradients
def press(self):
    if self.step == 7:
        os.kill(os.getpid(), signal.SIGINT)
    return gradients(self)
Trainer._gradients = press
"""


@unix
def test_ctrl_c_saves_a_whole_step_and_the_run_goes_on_bit_for_bit(tmp_path):
    """Ctrl-C comes in the middle of the eighth step."""
    file, long = text(tmp_path), [*TINY, "--steps", "16", "--samples", "0"]
    stopped, straight = tmp_path / "stopped", tmp_path / "straight"
    status, out, complaints = minitx("train", "--text", file, "--out", stopped, *long, code=PRESSED)
    assert status == 130
    assert complaints == (
        f"\nstopped at step 8; go on with: minitx train --resume --out {stopped}\n"
    )
    assert "validation" not in out
    train("--text", file, "--out", stopped, "--resume", "--samples", 0)
    train("--text", file, "--out", straight, *long)
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (stopped / name).read_bytes() == (straight / name).read_bytes()


@unix
def test_ctrl_c_twice_stops_at_once_and_keeps_the_last_checkpoint(tmp_path):
    file, long = text(tmp_path), [*TINY, "--steps", "16"]
    once = "os.kill(os.getpid(), signal.SIGINT)"
    twice = PRESSED.replace(once, "[signal.raise_signal(signal.SIGINT) for _ in '12']")
    assert twice != PRESSED
    status, _, complaints = minitx("train", "--text", file, "--out", tmp_path / "m", *long,
                                   code=twice)  # fmt: skip
    assert (status, complaints) == (130, "\nstopped\n")
    assert json.loads((tmp_path / "m" / "state.json").read_text("utf-8"))["step"] == 4


SAVES_ALWAYS = """
import minitx.training as training
training.save_every = lambda steps, folder: lambda trainer: trainer.save(folder)
import sys
from minitx.cli import main
sys.exit(main())
"""


@unix
def test_kill_9_leaves_a_model_that_loads(tmp_path, capsys):
    """A run that saves after every step is killed while it does hardly anything else."""
    file, folder = text(tmp_path), tmp_path / "model"
    train("--text", file, "--out", folder, *TINY)
    before = (folder / "state.json").read_bytes()
    arguments = ["train", "--text", file, "--out", folder, "--resume", "--steps", "100000"]
    process = subprocess.Popen(
        [sys.executable, "-c", SAVES_ALWAYS, *map(str, arguments)],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    kill_when(lambda: (folder / "state.json").read_bytes() != before, process)
    text_model.load(folder)
    capsys.readouterr()
    train("--text", file, "--out", folder, "--resume", "--steps", 7, "--samples", 0)
    assert int(re.search(r"going on from step (\d+)", capsys.readouterr().out)[1]) > 6


@pytest.mark.parametrize("package", ["tqdm", "safetensors"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package, tmp_path):
    blocked = f"sys.modules[{package!r}] = None"
    status, _, complaints = minitx("train", code=blocked, cwd=tmp_path)
    assert status == 2
    assert complaints == f'minitx: training needs {package}: pip install "minitx[train]"\n'
    assert not list(tmp_path.iterdir())
