"""Byte-level byte pair encoding: any text, no unknown token, words as a few tokens.

Slot: tokens. Text is cut into words, words into UTF-8 bytes, and bytes are merged as learned. Every
byte is written as a printable character, so that vocabulary and merges are plain text files.

Source: Radford et al. 2019 (GPT-2): byte-level BPE and the ``vocab.json`` and ``merges.txt`` form.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from minitx.tokens.files import to_json
from minitx.tokens.json_form import tokenizer_json
from minitx.tokens.merges import learn, merge
from minitx.tokens.pretokenize import ByteLevel, Step, apply_steps
from minitx.tokens.special import AddedToken, SpecialTokens
from minitx.tokens.tokenizer import Tokenizer

CACHE_SIZE = 65_536  # words whose tokens are kept


def byte_alphabet() -> list[str]:
    """A printable character for each of the 256 bytes: itself if it is one, else from U+0100."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


ALPHABET = byte_alphabet()
BYTE_OF = {character: byte for byte, character in enumerate(ALPHABET)}


class ByteBPE(Tokenizer):
    """Byte-level BPE with the vocabulary and the merges given; ``train`` learns them.

    ``vocab`` maps tokens, in printable characters, to ids, and must hold all 256 bytes; ``merges``
    are pairs of tokens, the earliest first. ``steps`` cut the text into words. With
    ``ignore_merges`` a word that is a token is taken whole, whatever the merges say (Llama 3).
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        steps: Sequence[Step] = (ByteLevel(),),
        special: SpecialTokens | None = None,
        ignore_merges: bool = False,
    ):
        super().__init__(vocab, special)
        self.model_vocab, self.merges = dict(vocab), [tuple(pair) for pair in merges]
        self.steps, self.ignore_merges = tuple(steps), ignore_merges
        missing = [byte for byte, character in enumerate(ALPHABET) if character not in vocab]
        if missing:
            raise ValueError(f"a byte-level vocabulary expected all 256 bytes, lacks {missing[:8]}")
        self._byte_ids = [vocab[character] for character in ALPHABET]
        self._ranks = _ranks(vocab, self.merges)
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        text: str,
        vocab_size: int,
        steps: Sequence[Step] = (ByteLevel(),),
        special: Sequence[str] = (),
    ) -> "ByteBPE":
        """Learn a vocabulary of ``vocab_size`` tokens: special ones, 256 bytes, then merges.

        The vocabulary stays smaller if the text has no more pairs to merge.
        """
        least = 256 + len(special)
        if vocab_size < least:
            raise ValueError(f"vocab_size expected at least {least} (bytes), got {vocab_size}")
        words = Counter(apply_steps(steps, text))
        counts = {_utf8(word): count for word, count in words.items()}
        order = sorted(range(256), key=ALPHABET.__getitem__)
        learned = learn(counts, [bytes([b]) for b in order], vocab_size - len(special))
        names = ["".join(ALPHABET[byte] for byte in token) for token in learned.tokens]
        added = [AddedToken(token, id_) for id_, token in enumerate(special)]
        vocab = {name: id_ for id_, name in enumerate([*special, *names])}
        merges = [(names[a], names[b]) for a, b in learned.merges]
        return cls(vocab, merges, steps, SpecialTokens(added))

    def encode_plain(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in apply_steps(self.steps, text):
            ids += self._cache.get(word) or self._encode_word(word)
        return ids

    def decode_plain(self, tokens: list[str]) -> str:
        """The text of tokens; bytes that are not UTF-8 become U+FFFD."""
        special = self.special.ids
        parts = [
            token.encode() if token in special else bytes(BYTE_OF[c] for c in token)
            for token in tokens
        ]
        return b"".join(parts).decode("utf-8", errors="replace")

    def files(self) -> dict[str, str]:
        model = {
            "type": "BPE",
            "ignore_merges": self.ignore_merges,
            "vocab": self.model_vocab,
            "merges": [list(pair) for pair in self.merges],
        }
        steps = [step.config() for step in self.steps]
        parts = {
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
            "decoder": ByteLevel().config(),
            "model": model,
        }
        lines = ["#version: 0.2", *(f"{a} {b}" for a, b in self.merges)]
        return {
            "vocab.json": to_json(self.model_vocab),
            "merges.txt": "\n".join(lines) + "\n",
            "tokenizer.json": tokenizer_json(self.special, parts),
            **self._config_files(),
        }

    def _encode_word(self, word: str) -> list[int]:
        data = _utf8(word)
        whole = "".join(ALPHABET[byte] for byte in data) if self.ignore_merges else None
        if whole in self.model_vocab:
            ids = [self.model_vocab[whole]]
        else:
            ids = merge([self._byte_ids[byte] for byte in data], self._ranks)
        if len(self._cache) < CACHE_SIZE:
            self._cache[word] = ids
        return ids


def _utf8(word: str) -> bytes:
    try:
        return word.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"expected text that UTF-8 can write, got the lone surrogate {word[error.start]!r}"
        ) from None


def _ranks(vocab: Mapping[str, int], merges: Sequence[tuple]) -> dict:
    """Each pair of ids with its rank and the id that it becomes."""
    ranks = {}
    for rank, (left, right) in enumerate(merges):
        for token in (left, right, left + right):
            if token not in vocab:
                raise ValueError(f"merge {rank}, {left!r} {right!r}, needs the token {token!r}")
        ranks[vocab[left], vocab[right]] = (rank, vocab[left + right])
    return ranks
