"""WordPiece as BERT uses it: a word is cut into the longest pieces that the vocabulary has.

Slot: tokens. Text is cleaned and lower-cased, cut at white space and punctuation, and each word is
read from the left, every time by the longest token that fits; a piece inside a word begins with
``##``. A word that cannot be cut so is one unknown token.

BERT's tables of punctuation and accents are those of Unicode 8; here they are those of the running
Python, so that characters added to Unicode since 2015 may be cut differently.

Source: Devlin et al. 2019, "BERT"; Wu et al. 2016, "Google's Neural Machine Translation System".
"""

import unicodedata
from collections.abc import Mapping

from minitx.tokens.json_form import tokenizer_json
from minitx.tokens.special import AddedToken, SpecialTokens, Template
from minitx.tokens.tokenizer import Tokenizer
from minitx.tokens.unicode import WHITESPACE, is_punctuation

BERT_TEMPLATE = Template.of("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")
BERT_ROLES = {
    "pad": "[PAD]",
    "unk": "[UNK]",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "mask": "[MASK]",
}
# The ideographs that BERT sets apart, a token each. (The sixth block begins at U+2B820; the
# common implementation says 2B920, and equality with it is what counts.)
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
# What the decoder writes without the space before it.
CLEANUP = (" .", " ?", " !", " ,", " n't", " 'm", " 's", " 've", " 're")


class _PerCharacter(dict):
    """A table for ``str.translate`` filled as characters turn up."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self.rule(chr(code))
        return self[code]


def _clean(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co"):
        return ""  # control characters go, even those that Unicode counts as white space
    return " " if character in WHITESPACE else character


def _space_ideograph(character: str) -> str:
    apart = any(low <= ord(character) <= high for low, high in IDEOGRAPHS)
    return f" {character} " if apart else character


def _cut(character: str) -> str:
    if character in WHITESPACE:
        return " "
    return f" {character} " if is_punctuation(character) else character


CLEAN = _PerCharacter(_clean)
SPACE_IDEOGRAPHS = _PerCharacter(_space_ideograph)
DROP_MARKS = _PerCharacter(lambda c: "" if unicodedata.category(c) == "Mn" else c)
LOWER = _PerCharacter(str.lower)  # a character alone: a final sigma stays an ordinary one
CUT = _PerCharacter(_cut)


class BertNormalizer:
    """BERT's cleaning: no control characters, ideographs apart, accents off, lower case."""

    def __init__(
        self,
        clean_text: bool = True,
        handle_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        lowercase: bool = True,
    ):
        self.settings = {
            "clean_text": clean_text,
            "handle_chinese_chars": handle_chinese_chars,
            "strip_accents": strip_accents,
            "lowercase": lowercase,
        }
        self.decompose = lowercase if strip_accents is None else strip_accents

    def __call__(self, text: str) -> str:
        text = text.translate(CLEAN) if self.settings["clean_text"] else text
        text = text.translate(SPACE_IDEOGRAPHS) if self.settings["handle_chinese_chars"] else text
        if self.decompose:
            text = unicodedata.normalize("NFD", text).translate(DROP_MARKS)
        return text.translate(LOWER) if self.settings["lowercase"] else text


class WordPiece(Tokenizer):
    """WordPiece with BERT's normalisation; by default also its special tokens and its frame.

    A word of more than ``max_characters`` is unknown.
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        normalizer: BertNormalizer | None = None,
        special: SpecialTokens | None = None,
        unknown: str = "[UNK]",
        prefix: str = "##",
        max_characters: int = 100,
    ):
        super().__init__(vocab, bert_special(vocab) if special is None else special)
        if unknown not in vocab:
            raise ValueError(f"WordPiece expected the unknown token {unknown!r} in its vocabulary")
        self.model_vocab = dict(vocab)
        self.normalizer = BertNormalizer() if normalizer is None else normalizer
        self.unknown, self.prefix, self.max_characters = unknown, prefix, max_characters

    def encode_plain(self, text: str) -> list[int]:
        words = self.normalizer(text).translate(CUT).split(" ")
        return [id_ for word in words if word for id_ in self._encode_word(word)]

    def decode_plain(self, tokens: list[str]) -> str:
        """Words with a space between them, and none before punctuation or a contraction."""
        pieces = []
        for i, token in enumerate(tokens):
            inner = i > 0 and token.startswith(self.prefix)
            piece = token.removeprefix(self.prefix) if inner else " " * (i > 0) + token
            for spaced in CLEANUP:
                piece = piece.replace(spaced, spaced[1:])
            pieces.append(piece)
        return "".join(pieces)

    def files(self) -> dict[str, str]:
        model = {
            "type": "WordPiece",
            "unk_token": self.unknown,
            "continuing_subword_prefix": self.prefix,
            "max_input_chars_per_word": self.max_characters,
            "vocab": self.model_vocab,
        }
        parts = {
            "normalizer": {"type": "BertNormalizer", **self.normalizer.settings},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "decoder": {"type": "WordPiece", "prefix": self.prefix, "cleanup": True},
            "model": model,
        }
        lines = sorted(self.model_vocab, key=self.model_vocab.__getitem__)
        files = {"tokenizer.json": tokenizer_json(self.special, parts), **self._config_files()}
        if self.model_vocab[lines[-1]] == len(lines) - 1:  # a line's number is its token's id
            files["vocab.txt"] = "".join(f"{token}\n" for token in lines)
        return files

    def _encode_word(self, word: str) -> list[int]:
        if len(word) > self.max_characters:
            return [self.model_vocab[self.unknown]]
        ids, start, prefix = [], 0, ""
        while start < len(word):
            end = len(word)
            while end > start and prefix + word[start:end] not in self.model_vocab:
                end -= 1
            if end == start:
                return [self.model_vocab[self.unknown]]
            ids.append(self.model_vocab[prefix + word[start:end]])
            start, prefix = end, self.prefix
        return ids


def bert_special(vocab: Mapping[str, int]) -> SpecialTokens:
    """BERT's special tokens, with their ids in ``vocab``; the frame if it has [CLS] and [SEP]."""
    present = {role: token for role, token in BERT_ROLES.items() if token in vocab}
    added = [AddedToken(token, vocab[token]) for token in present.values()]
    framed = {"cls", "sep"} <= set(present)
    return SpecialTokens(added, BERT_TEMPLATE if framed else Template(), present)
