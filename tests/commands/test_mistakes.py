"""A mistake at the terminal is answered with one sentence and status 2, never a stack trace."""

import subprocess
import sys

import pytest

from minitx import cli
from tests.commands.runs import TINY, environment, minitx, text


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a text, a model, and things that are neither."""
    folder = tmp_path_factory.mktemp("mistakes")
    text(folder)
    arguments = ["--text", str(folder / "text.txt"), "--out", str(folder / "model"), *TINY]
    assert cli.main(["train", *arguments]) == 0
    (folder / "latin.txt").write_bytes("dér".encode("latin-1"))
    (folder / "empty.txt").write_bytes(b"")
    (folder / "short.txt").write_text("too short", encoding="utf-8")
    broken = folder / "broken"
    broken.mkdir()
    for path in (folder / "model").iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[: 200 if "model" in path.name else None])
    other = folder / "other"
    other.mkdir()
    (other / "config.json").write_text('{"form": "another"}', encoding="utf-8")
    return folder


TRAIN, AGAIN = "train --text text.txt --out new ", "train --text text.txt --out model --resume "
GENERATE = "generate --checkpoint model "
MISTAKES = {
    "train --text nowhere.txt": "nowhere.txt expected a text file, found nothing there",
    "train --text model": "model expected a text file, got a folder",
    "train --text latin.txt": "expected UTF-8 text, got byte 0xe9 at 1",
    "train --text empty.txt": "expected some text, got an empty file",
    "train --text short.txt --out new": "the text is too short: 8 tokens",
    "train --text text.txt --out model": "holds a model already: give another --out, or --resume",
    "train --text text.txt --out text.txt": "--out expected a folder, text.txt is a file",
    TRAIN + "--steps 0": "steps expected a number above 0, got 0",
    TRAIN + "--lr nan": "lr expected a number above 0, got nan",
    TRAIN + "--batch-size -1": "batch_size expected a number above 0, got -1",
    TRAIN + "--heads 5": "--d-model expected a multiple of --heads 5, got 96",
    TRAIN + "--dropout 1": "--dropout expected a number from 0 to below 1, got 1.0",
    TRAIN + "--weight-decay -1": "expected weight_decay from 0, got -1",
    TRAIN + "--threads 0": "expected threads of 1 or more, got 0",
    TRAIN + "--seed -1": "non-negative",
    TRAIN + "--tokenizer bpe --vocab-size 5": "vocab_size expected at least 256 (bytes), got 5",
    AGAIN + "--d-model 16": "--resume expected d_model 8 as before, got 16",
    "train --resume --out nowhere": "nowhere is not a folder that `minitx train` wrote",
    "train --text text.txt --resume --out broken": "damaged",
    "generate --checkpoint nowhere": "not a folder that `minitx train` wrote: no config.json in it",
    "generate --checkpoint other": "expected the form 'minitx-decoder-1', got {'form': 'another'}",
    "generate --checkpoint broken": "cannot be read, it is damaged",
    GENERATE + "--prompt Я": "character 'Я' (U+042F) at position 0 is not among the",
    GENERATE + "--temperature -1": "--temperature expected 0 or more, got -1.0",
    GENERATE + "--top-k 0": "top-k must be at least 1, got 0",
    GENERATE + "--top-p 2": "top-p must be above 0 and at most 1, got 2.0",
    GENERATE + "--min-p 3": "min-p",
    GENERATE + "--repetition-penalty 0": "penalty",
    GENERATE + "--tokens -1": "--tokens expected 0 or more, got -1",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_sentence(line, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    assert cli.main(line.split()) == 2
    found = capsys.readouterr()
    assert found.err.startswith("minitx: ") and found.err.count("\n") == 1
    assert MISTAKES[line] in found.err
    assert sorted(place.rglob("*")) == before, "a mistake leaves files behind"


def test_an_empty_prompt(place, capsys):
    assert cli.main(["generate", "--checkpoint", str(place / "model"), "--prompt", ""]) == 2
    assert capsys.readouterr().err == "minitx: --prompt expected some text, got none\n"


@pytest.mark.parametrize("line", ["nonsense", "train --nonsense", "train --steps many"])
def test_an_unknown_word_is_said_with_the_usage(line, place, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(line.split())
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: minitx")


def test_the_same_in_a_process_of_its_own(place):
    status, out, complaints = minitx("train", "--text", "nowhere.txt", cwd=place)
    assert (status, out) == (2, "")
    assert complaints == "minitx: nowhere.txt expected a text file, found nothing there\n"


def test_traceback_shows_where_it_came_from(place, monkeypatch):
    monkeypatch.chdir(place)
    with pytest.raises(FileNotFoundError):
        cli.main(["--traceback", "train", "--text", "nowhere.txt"])


def test_a_loss_that_is_not_finite_names_the_step_and_what_is_kept(place, tmp_path):
    wild = ["--text", place / "text.txt", "--out", tmp_path / "model", *TINY, "--lr", "1e30"]
    status, _, complaints = minitx("train", *wild)
    assert status == 2
    assert "at step 2; stopped before it changed the weights; the last checkpoint" in complaints
    assert complaints.endswith("a smaller --lr may help\n") and complaints.count("\n") == 1


@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_a_reader_who_leaves_is_no_mistake(flags):
    """``minitx info | head -1`` closes the pipe early, with and without a buffer."""
    process = subprocess.Popen(
        [sys.executable, *flags, "-m", "minitx", "info"],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()
