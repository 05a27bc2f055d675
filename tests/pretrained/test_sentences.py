"""Sentence vectors from a tiny encoder: batching must not show, and the files are obeyed."""

import numpy as np
import pytest

from minitx import pretrained
from minitx.pretrained import sentences

TEXTS = ["the bank of the river", "money in a bank , a loan", "", "zebra", "stone " * 40, "of",
         "unknown WATER words"]  # fmt: skip


@pytest.fixture
def loaded(folder):
    return pretrained.load(folder("bert").write_sentence_files())


def one_by_one(loaded, text, pool):
    """The vector of one text by the definition: no padding, no batch."""
    ids = loaded.tokenizer.batch([text], 11).ids
    mean = pool(loaded.model(ids).numpy()[0])
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize(
    ("mode", "pool"),
    [("mean_tokens", lambda h: h.mean(0)), ("cls_token", lambda h: h[0]),
     ("max_tokens", lambda h: h.max(0))],
)  # fmt: skip
def test_each_row_is_the_sentence_alone(folder, mode, pool):
    loaded = pretrained.load(folder("bert").write_sentence_files(f"pooling_mode_{mode}"))
    expected = np.array([one_by_one(loaded, text, pool) for text in TEXTS])
    for batch_size in (1, 2, 3, 32):
        vectors = loaded.embed(TEXTS, batch_size)
        assert vectors.dtype == np.float32 and vectors.shape == (7, 12)
        assert np.abs(vectors - expected).max() < 2e-6
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_batches_and_threads_give_the_same_bits(loaded, monkeypatch):
    monkeypatch.setattr(sentences, "cores", lambda: 3)
    several = loaded.embed(TEXTS, 2)
    monkeypatch.setattr(sentences, "cores", lambda: 1)
    assert (several == loaded.embed(TEXTS, 2)).all()


def test_an_error_in_a_thread_arrives(loaded, monkeypatch):
    monkeypatch.setattr(sentences, "cores", lambda: 2)
    monkeypatch.setattr(loaded.sentences, "_encode", lambda text: np.array([2, 99, 3]))
    with pytest.raises(IndexError, match="99"):
        loaded.embed(TEXTS, 2)


def test_nothing_to_embed(loaded):
    assert loaded.embed([]).shape == (0, 12)


def test_longest_length(folder):
    texts = ["river water bank money", "river water stone loan"]
    cut = pretrained.load(folder("bert").write_sentence_files(longest=4)).embed(texts)
    assert np.abs(cut[0] - cut[1]).max() < 1e-6  # two words and the frame are all that is seen
    whole = pretrained.load(folder("bert").write_sentence_files(longest=5)).embed(texts)
    assert np.abs(whole[0] - whole[1]).max() > 1e-3
    beyond = pretrained.load(folder("bert").write_sentence_files(longest=10**6))
    assert beyond.sentences.max_length == 17


def test_case_is_lowered_if_the_file_says_so(folder):
    one = folder("bert")
    path = one.write_sentence_files()
    one.write_json("tokenizer_config.json", {"do_lower_case": False})
    apart = pretrained.load(path).embed(["River", "river"])
    assert np.abs(apart[0] - apart[1]).max() > 1e-3
    one.write_json("sentence_bert_config.json", {"max_seq_length": 9, "do_lower_case": True})
    alike = pretrained.load(path).embed(["River", "river"])
    assert np.abs(alike[0] - alike[1]).max() < 1e-6


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("1_Pooling/config.json", {"pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt_len"),
        ("1_Pooling/config.json", {}, "none"),
        ("1_Pooling/config.json",
         {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "cls_token"),
        ("sentence_bert_config.json", {"max_seq_length": -1}, "max_seq_length"),
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense"),
        ("modules.json", {"type": 3}, "list of modules"),
    ],
)  # fmt: skip
def test_files_that_ask_for_something_else(folder, name, value, words):
    one = folder("bert")
    path = one.write_sentence_files()
    one.write_json(name, value)
    with pytest.raises(ValueError, match=words):
        pretrained.load(path)


def test_a_tokenizer_larger_than_the_model(folder):
    path = folder("bert", vocab_size=15).write_sentence_files()
    with pytest.raises(ValueError, match=r"ids up to 17.* knows 15"):
        pretrained.load(path)


def test_bad_arguments(loaded):
    with pytest.raises(TypeError, match="one str"):
        loaded.embed("one sentence")
    with pytest.raises(TypeError, match="int"):
        loaded.embed(["a", 3])
    with pytest.raises(ValueError, match="batch_size"):
        loaded.embed(["a"], 0)


def test_another_model_does_not_embed(folder):
    assert not hasattr(pretrained.load(folder("bert").write()), "embed")
