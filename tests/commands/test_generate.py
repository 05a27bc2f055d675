"""``minitx generate``: what a trained model writes, whole characters only."""

import pytest

from minitx import cli
from tests.commands.runs import TINY, text


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of a model of characters and of one of pairs of bytes."""
    folder = tmp_path_factory.mktemp("generate")
    file, made = text(folder), {}
    for kind in ("char", "bpe"):
        made[kind] = str(folder / kind)
        more = ["--tokenizer", kind, "--vocab-size", "262", "--out", made[kind]]
        assert cli.main(["train", "--text", str(file), *more, *TINY]) == 0
    return made


@pytest.fixture
def written(capsys):
    """Run ``minitx generate ...``: what it printed."""

    def run(folder, *arguments):
        capsys.readouterr()
        assert cli.main(["generate", "--checkpoint", folder, *map(str, arguments)]) == 0
        return capsys.readouterr()

    return run


def test_it_goes_on_from_the_prompt(folders, written):
    found = written(folders["char"], "--prompt", "the cat", "--tokens", 11, "--seed", 3)
    assert found.out.startswith("the cat")
    assert len(found.out) == len("the cat") + 11 + len("\n")


def test_the_same_seed_writes_the_same_text(folders, written):
    runs = [
        written(folders["char"], "--tokens", 40, "--temperature", 1.5, "--seed", seed).out
        for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_temperature_0_and_top_k_1_take_the_likeliest(folders, written):
    greedy = written(folders["char"], "--tokens", 20, "--temperature", 0).out
    assert written(folders["char"], "--tokens", 20, "--top-k", 1, "--seed", 1).out == greedy
    assert written(folders["char"], "--tokens", 20, "--top-p", 1e-6, "--seed", 2).out == greedy


def test_a_long_prompt_is_said_to_be_cut(folders, written):
    found = written(folders["char"], "--prompt", "the cat sat on the mat", "--tokens", 5)
    assert found.out.startswith("the cat sat on the mat")
    assert found.err == "minitx: the model sees the last 8 tokens of the prompt\n"


@pytest.mark.parametrize("seed", range(4))
def test_no_broken_character_is_written(folders, written, seed):
    """Bytes at random make halves of characters; what is shown is whole."""
    hot = ("--tokens", 30, "--temperature", 9, "--prompt", "äö", "--seed", seed)
    found = written(folders["bpe"], *hot).out
    assert found.startswith("äö")
    found.encode("utf-8")


def test_no_tokens_is_the_prompt(folders, written):
    assert written(folders["char"], "--prompt", "sat", "--tokens", 0).out == "sat\n"
