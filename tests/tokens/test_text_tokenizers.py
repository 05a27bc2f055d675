"""Characters, byte pairs, word pieces: round trips, twins, special tokens, files, bad input."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitx.tokens import (
    AddedToken,
    BertNormalizer,
    ByteBPE,
    ByteLevel,
    CharTokenizer,
    Digits,
    SpecialTokens,
    Split,
    Template,
    Tokenizer,
    WordPiece,
    load,
)
from minitx.tokens.bpe import ALPHABET
from minitx.tokens.merges import Learned, learn, merge, naive_learn, naive_merge
from minitx.tokens.pretokenize import apply_steps
from minitx.tokens.unicode import compile_pattern

TEXT = (
    "the cat sat on the mat; the other cat's hat was that of the fat rat. "
    "aaaa aaaaaaa 1234 12345 naïve café 你好 你好吗 👍👍 \n\n  then the end\n"
) * 3
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat un ##aff ##able ##ing run e ##e . ' s 你"


TRAINED = [
    ByteBPE.train(TEXT, 290, steps)
    for steps in ([ByteLevel()], [Digits(), Split("llama3"), ByteLevel(use_regex=False)])
]


def wordpiece(**settings_):
    return WordPiece({token: i for i, token in enumerate(PIECES.split(" "))}, **settings_)


@pytest.fixture(scope="module")
def bpe():
    return ByteBPE.train(TEXT, 320, special=["<|end|>"])


def test_characters_are_their_places():
    tokenizer = CharTokenizer("abc")
    assert tokenizer.encode("cab") == [2, 0, 1]
    assert tokenizer.decode([1, 1, 0]) == "bba"
    assert CharTokenizer.from_text("hello").characters == "ehlo"


def test_an_unknown_character_is_named_with_a_way_out():
    tokenizer = CharTokenizer.from_text("hello")
    with pytest.raises(ValueError, match=r"'é' \(U\+00E9\) at position 1 .* 4 .*ByteBPE"):
        tokenizer.encode("hé")


def test_characters_with_a_special_token():
    tokenizer = CharTokenizer("ab|", special=("<|end|>",))
    assert tokenizer.encode("a|<|end|>b") == [0, 2, 3, 1]
    assert tokenizer.decode([0, 3, 1]) == "ab"
    assert tokenizer.decode([0, 3, 1], skip_special_tokens=False) == "a<|end|>b"
    assert tokenizer.vocab_size == 4


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_bpe_writes_any_text(text):
    for tokenizer in TRAINED:
        assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text(max_size=60))
@settings(deadline=None)
def test_characters_write_any_text_that_they_were_made_of(text):
    tokenizer = CharTokenizer.from_text(text + "x")
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.lists(st.integers(0, 4), max_size=40), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_merging_is_the_same_as_naive_merging_in_any_order(word, random):
    pairs = [(a, b) for a in range(8) for b in range(8)]
    random.shuffle(pairs)
    merges = {pair: (rank, 5 + rank % 3) for rank, pair in enumerate(pairs[:30])}
    assert merge(word, merges) == naive_merge(word, merges)


def test_merging_by_hand():
    merges = {(1, 2): (0, 3), (3, 1): (1, 4), (1, 1): (2, 5)}
    assert merge([1, 2, 1, 2, 1], merges) == [3, 4] == naive_merge([1, 2, 1, 2, 1], merges)
    assert merge([1, 1, 1], merges) == [5, 1] == naive_merge([1, 1, 1], merges)
    assert merge([], merges) == []


def test_a_long_word_takes_no_quadratic_time():
    merges = {(0, 0): (0, 1), (1, 1): (1, 2)}
    assert merge([0] * 200_001, merges) == [2] * 50_000 + [0]


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1), st.integers(3, 30))
@settings(deadline=None)
def test_learning_is_the_same_as_naive_learning(words, size):
    counts = {word.encode(): words.count(word) for word in words}
    fast, naive = (f(counts, [b"a", b"b", b"c"], size) for f in (learn, naive_learn))
    assert fast.merges == naive.merges
    assert fast.tokens == naive.tokens


def test_learning_by_hand():
    learned = learn({b"ab": 3, b"abc": 2, b"ccc": 2}, [b"a", b"b", b"c"], 5)
    assert learned.merges == [(0, 1), (2, 2)]  # ab 5 times, then cc 4 times against abc's 2
    assert learned.tokens == [b"a", b"b", b"c", b"ab", b"cc"]


def test_bytes_that_are_a_token_already_get_no_second_id():
    learned = Learned([b"a", b"b", b"c"])
    assert [learned.add(pair) for pair in [(0, 1), (1, 2), (3, 2), (0, 4)]] == [3, 4, 5, 5]
    assert learned.tokens[3:] == [b"ab", b"bc", b"abc"]
    assert len(learned.merges) == 4


@pytest.mark.parametrize(
    ("steps", "pieces"),
    [
        (
            [ByteLevel()],
            ["It", "'s", " x", "²34567", "'", "RE", "  ", " na", "\u0301", "ï", "!", "\n\n"],
        ),
        (
            [ByteLevel(add_prefix_space=True, use_regex=False)],
            [" It's x²34567'RE   na\u0301ï!\n\n"],
        ),
        (
            [Split("llama3")],
            ["It", "'s", " x", "²34", "567", "'RE", "  ", " na", "\u0301ï", "!\n\n"],
        ),
        (
            [Digits(), ByteLevel()],
            ["It", "'s", " x", *"²34567", "'", "RE", "  ", " na", "\u0301", "ï", "!", "\n\n"],
        ),
    ],
)
def test_how_text_is_cut(steps, pieces):
    assert apply_steps(steps, "It's x²34567'RE   na\u0301ï!\n\n") == pieces


def test_bpe_vocabulary_is_special_tokens_bytes_merges(bpe):
    assert bpe.vocab_size == 320
    assert len(bpe.merges) == 320 - 257
    assert bpe.encode("<|end|>!") == [0, 1]
    assert bpe.encode(" the") == [bpe.vocab["Ġthe"]]
    assert bpe.decode(bpe.encode("a<|end|>b")) == "ab"
    assert len(bpe.encode(TEXT)) < len(TEXT.encode()) / 2


def test_bpe_stops_early_when_nothing_is_left_to_merge():
    tokenizer = ByteBPE.train("abab", 1000)
    assert [a + b for a, b in tokenizer.merges] == ["ab", "abab"]
    assert tokenizer.vocab_size == 258


def test_bpe_turns_broken_bytes_into_the_replacement_character(bpe):
    ids = bpe.encode("吗")
    broken = [bpe.vocab[ALPHABET[byte]] for byte in "吗".encode()[:2]]
    assert bpe.decode(ids) == "吗"
    assert bpe.decode(broken) == "\ufffd"


def test_bpe_ignores_merges_for_a_word_that_is_a_token(bpe):
    vocab = {**bpe.model_vocab, "xyz": 500}
    special = bpe.special
    assert ByteBPE(vocab, bpe.merges, special=special).encode("xyz") != [500]
    assert ByteBPE(vocab, bpe.merges, special=special, ignore_merges=True).encode("xyz") == [500]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda b: ByteBPE.train(TEXT, 200), "at least 256 .* got 200"),
        (lambda b: ByteBPE({"a": 0}, []), "all 256 bytes"),
        (lambda b: ByteBPE(b.model_vocab, [("a", "☃")], special=b.special), "merge 0, 'a' '☃'"),
        (lambda b: b.encode("x\ud800"), r"lone surrogate '\\ud800'"),
        (lambda b: b.decode([0, 320]), "vocabulary of 320, got 320 at position 1"),
        (lambda b: b.decode([-1]), "got -1 at position 0"),
        (lambda b: Split("gpt5"), r"expected one of \['gpt2', 'llama3'\], got 'gpt5'"),
        (lambda b: CharTokenizer("aba"), "every character once"),
        (lambda b: CharTokenizer(""), "at least one token"),
        (lambda b: CharTokenizer("a", special=("a",)), "'a' has id 1"),
        (lambda b: WordPiece({"a": 0}), r"unknown token '\[UNK\]'"),
        (lambda b: WordPiece({"a": 0, "[UNK]": 0}), "same id 0"),
        (lambda b: WordPiece({"a": True, "[UNK]": 0}), "id of 0 or more, got True"),
        (lambda b: SpecialTokens([AddedToken("", 0)]), "empty"),
        (lambda b: SpecialTokens(template=Template.of("[CLS] $A", "$A $B")), r"'\[CLS\]'"),
        (lambda b: SpecialTokens(template=Template.of("$A $B", "$A $B")), r"'\$B'"),
        (lambda b: b.batch(["a", "the cat"]), "padding token"),
        (lambda b: wordpiece().batch(["a"], max_length=1), "max_length 1 .* 2 special"),
        (lambda b: b.batch(["a"], side="top"), "'left' or 'right', got 'top'"),
        (lambda b: compile_pattern(r"\p{Lu}+"), r"got \\p\{Lu\}"),
        (lambda b: compile_pattern(r"\P{L}"), r"got \\P\{L\}"),
    ],
)
def test_bad_input_is_named(make, message, bpe):
    with pytest.raises(ValueError, match=message):
        make(bpe)


def test_text_must_be_a_str(bpe):
    with pytest.raises(TypeError, match="str, got bytes"):
        bpe.encode(b"abc")
    with pytest.raises(TypeError, match="list of texts"):
        bpe.batch("abc")


def test_wordpiece_takes_the_longest_piece():
    tokenizer = wordpiece()
    ids = tokenizer.encode("the unaffable cats", add_special_tokens=False)
    assert [tokenizer.tokens[i] for i in ids] == ["the", "un", "##aff", "##able", "[UNK]"]
    assert tokenizer.decode(ids) == "the unaffable"


def test_wordpiece_normalises_and_frames():
    tokenizer = wordpiece()
    names = [tokenizer.tokens[i] for i in tokenizer.encode("THE\x00 Éé你cat's.\u200b[MASK]")]
    expected = "[CLS] the e ##e 你 cat ' s . [MASK] [SEP]"
    assert names == expected.split(" ")
    ids, types = tokenizer.encode_pair("the cat", "run.")
    assert tokenizer.decode(ids, skip_special_tokens=False) == "[CLS] the cat [SEP] run. [SEP]"
    assert types == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("settings_", "result"),
    [
        ({}, "eta æe  你 σ"),
        ({"lowercase": False}, "Éta Æe  你 Σ"),
        ({"lowercase": False, "strip_accents": True}, "Eta Æe  你 Σ"),
        ({"strip_accents": False}, "éta æe  你 σ"),
        ({"strip_accents": False, "handle_chinese_chars": False}, "éta æe 你σ"),
        ({"clean_text": False, "lowercase": False}, "Éta\tÆe  你 Σ\x85\x7f"),
    ],
)
def test_bert_normalisation(settings_, result):
    """A final sigma stays an ordinary one; U+0085 is a control character before it is a space."""
    assert BertNormalizer(**settings_)("Éta\tÆe 你Σ\x85\x7f") == result


def test_a_word_too_long_is_unknown():
    tokenizer = wordpiece(max_characters=5)
    assert tokenizer.encode("eeeee", False) != [1]
    assert tokenizer.encode("eeeeee", False) == [1]


@pytest.mark.parametrize(
    ("first", "second", "room", "kept"),
    [(3, 7, 6, (3, 3)), (7, 3, 6, (3, 3)), (2, 7, 6, (2, 4)), (5, 6, 7, (3, 4)), (1, 2, 3, (1, 2))],
)
def test_pairs_are_cut_from_the_longer_text(first, second, room, kept):
    ids, types = wordpiece().encode_pair("the " * first, "cat " * second, max_length=room + 3)
    assert (ids.count(5), ids.count(6)) == kept
    assert types == [0] * (kept[0] + 2) + [1] * (kept[1] + 1)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_batch_is_padded_and_masked(side):
    tokenizer = wordpiece()
    texts = ["the", "the cat run e", ""]
    ids, mask = tokenizer.batch(texts, max_length=5, side=side)
    assert ids.shape == mask.shape == (3, 5)
    assert ids.dtype == np.int64
    assert mask.dtype == bool
    assert mask.sum(1).tolist() == [3, 5, 2]
    assert ids[0, mask[0]].tolist() == tokenizer.encode("the")
    assert (ids[~mask] == tokenizer.vocab["[PAD]"]).all()
    assert mask[0].tolist() == sorted(mask[0].tolist(), reverse=side == "right")
    assert ids[1].tolist() == [*tokenizer.encode("the cat run e")[:4], tokenizer.vocab["[SEP]"]]


def test_added_tokens_longest_first_and_stripping():
    added = [AddedToken("<a>", 3), AddedToken("<a><b>", 4), AddedToken("<m>", 5, True, True, True)]
    special = SpecialTokens(added)
    assert list(special.split("x <a><b><a> y \n<m>\u3000 z")) == ["x ", 4, 3, " y", 5, "z"]
    assert list(special.split("")) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda bpe: bpe,
        lambda bpe: CharTokenizer.from_text(TEXT + "\u2028\r\x85", special=("<s>",)),
        lambda bpe: wordpiece(normalizer=BertNormalizer(strip_accents=False)),
        lambda bpe: ByteBPE(
            bpe.model_vocab,
            bpe.merges,
            [Digits(), Split("llama3"), ByteLevel(use_regex=False)],
            SpecialTokens(
                bpe.special.added, Template.of("<|end|> $A", "$A $B"), {"eos": "<|end|>"}
            ),
            ignore_merges=True,
        ),
    ],
)
def test_a_saved_tokenizer_is_the_same(make, bpe, tmp_path):
    tokenizer = make(bpe)
    tokenizer.save(tmp_path / "new" / "folder")
    again = load(tmp_path / "new" / "folder")
    assert type(again) is type(tokenizer)
    assert again.vocab == tokenizer.vocab
    assert again.files() == tokenizer.files()
    assert again.special.roles == tokenizer.special.roles
    assert again.encode(TEXT) == tokenizer.encode(TEXT)
    assert not [f for f in (tmp_path / "new" / "folder").iterdir() if f.name.startswith(".")]


def test_loading_another_kind_is_refused(bpe, tmp_path):
    bpe.save(tmp_path)
    assert isinstance(Tokenizer.load(tmp_path), ByteBPE)
    with pytest.raises(TypeError, match="expected a CharTokenizer"):
        CharTokenizer.load(tmp_path)


def test_a_failed_save_leaves_the_old_files(bpe, tmp_path, monkeypatch):
    bpe.save(tmp_path)
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        ByteBPE.train(TEXT, 300).save(tmp_path)
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before


def changed(files, path, value):
    """``tokenizer.json`` with one value changed, given by its path in the tree."""
    config = json.loads(files["tokenizer.json"])
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(config)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["model", "type"], "Unigram", "model 'Unigram'"),
        (["model", "dropout"], 0.1, r"model.dropout = 0.1"),
        (["model", "byte_fallback"], True, "model.byte_fallback = True"),
        (["model", "end_of_word_suffix"], "</w>", "end_of_word_suffix = '</w>'"),
        (["model", "vocab"], ["a"], "model.vocab expected dict, got list"),
        (["model", "merges"], [["a"]], r"merge expected two tokens, got \['a'\]"),
        (["model", "merges"], ["a b c"], "merge expected two tokens, got 'a b c'"),
        (["model", "merges"], [["a", "☃"]], "'a' '☃', needs the token '☃'"),
        (["model"], None, "model expected dict, got NoneType"),
        (["normalizer"], {"type": "NFKC"}, "normalizer 'NFKC'"),
        (["pre_tokenizer"], {"type": "Metaspace"}, "pre_tokenizer 'Metaspace'"),
        (["pre_tokenizer"], {"type": "Digits", "individual_digits": False}, "individual_digits"),
        (["pre_tokenizer"], {"type": "Digits", "individual_digits": True}, "end in ByteLevel"),
        (["pre_tokenizer"], None, "pre_tokenizer None"),
        (
            ["pre_tokenizer"],
            {
                "type": "Split",
                "pattern": {"Regex": "(a+)+"},
                "behavior": "Isolated",
                "invert": False,
            },
            r"\(a\+\)\+",
        ),
        (["post_processor"], {"type": "Strange"}, "post_processor 'Strange'"),
        (["post_processor"], {"type": "TemplateProcessing"}, "KeyError"),
        (["added_tokens", 0, "single_word"], True, r"single_word .*'<\|end\|>'"),
        (["added_tokens", 0, "id"], "0", "id expected int, got str"),
        (["added_tokens"], ["<s>"], "added_tokens expected dict, got str"),
    ],
)
def test_an_unknown_component_is_refused_by_name(path, value, message, bpe, tmp_path):
    (tmp_path / "tokenizer.json").write_text(changed(bpe.files(), path, value), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["normalizer"], {"type": "Lowercase"}, "normalizer 'Lowercase'"),
        (["normalizer"], None, "normalizer None"),
        (["normalizer"], {"type": "BertNormalizer", "new": 1}, "new"),
        (["pre_tokenizer"], {"type": "Whitespace"}, "pre_tokenizer 'Whitespace'"),
        (["added_tokens", 0, "normalized"], True, "normalizer applied"),
    ],
)
def test_an_unknown_component_of_wordpiece_too(path, value, message, tmp_path):
    content = changed(wordpiece().files(), path, value)
    (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{", "expected JSON"),
        ("tokenizer.json", b"[" * 100_000, "expected JSON"),
        ("tokenizer.json", b"[]", "expected dict, got list"),
        ("tokenizer.json", b'{"a": "\xff"}', "UTF-8 text, got byte 7"),
        ("characters.json", b"{}", "characters expected str, got NoneType"),
        ("vocab.txt", b"[UNK]\na\na\n", "one twice"),
    ],
)
def test_a_broken_file_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{re.escape(name)}.*{message}"):
        load(tmp_path)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json, vocab\.txt, or vocab\.json"):
        load(tmp_path)


def test_gpt2_files_without_a_tokenizer_json(tmp_path):
    files = ByteBPE.train(TEXT, 300, special=["<|endoftext|>"]).files()
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    tokenizer = load(tmp_path)
    assert tokenizer.encode("<|endoftext|>the")[0] == 0
    assert tokenizer.special.id_of("eos") == 0


def test_bert_files_without_a_tokenizer_json(tmp_path):
    (tmp_path / "vocab.txt").write_text(PIECES.replace(" ", "\r\n"), encoding="utf-8", newline="")
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    tokenizer = load(tmp_path)
    assert tokenizer.encode("The the") == [2, 1, 5, 3]
    assert tokenizer.special.id_of("pad") == 0


def test_roles_come_from_the_config_files(bpe, tmp_path):
    bpe.save(tmp_path)
    pad = {"pad_token": {"content": "<|end|>"}, "eos_token": "<|unknown|>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(pad))
    tokenizer = load(tmp_path)
    assert tokenizer.special.roles == {"pad": "<|end|>"}
    assert tokenizer.batch(["the", ""]).mask.sum() == len(tokenizer.encode("the"))
