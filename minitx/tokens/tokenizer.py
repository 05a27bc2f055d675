"""The interface of a tokenizer: text to ids and back, one text or a padded batch.

Slot: tokens. A kind of tokenizer says how plain text becomes ids (``encode_plain``), how ids
become text (``decode_plain``) and what it writes to disk (``files``); everything about special
tokens, truncation and padding is here, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minitx.tokens.files import to_json, write_files
from minitx.tokens.special import SpecialTokens


class Encoded(NamedTuple):
    """A batch of texts: ids (B, T) int64, mask (B, T) bool (True = a token, not padding)."""

    ids: np.ndarray
    mask: np.ndarray


class Tokenizer:
    """Text to a list of ids and back.

    ``vocab`` maps every token's text to its id. Ids are what a model sees; ``vocab_size`` is one
    more than the largest.
    """

    def __init__(self, vocab: Mapping[str, int], special: SpecialTokens | None = None):
        self.special = SpecialTokens() if special is None else special
        for token, id_ in self.special.ids.items():
            if vocab.get(token, id_) != id_:
                raise ValueError(f"special token {token!r} has id {id_}, the vocabulary another")
        self.vocab = {**vocab, **self.special.ids}
        _check_vocabulary(self.vocab)
        self.tokens = {id_: token for token, id_ in self.vocab.items()}
        self.vocab_size = max(self.tokens) + 1

    def encode_plain(self, text: str) -> list[int]:
        """Ids of a text that holds no special token."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it encodes")

    def decode_plain(self, tokens: list[str]) -> str:
        """The text that a list of tokens stands for."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it decodes")

    def files(self) -> dict[str, str]:
        """What ``save`` writes: file name to content."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is saved")

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """Ids of one text, framed as the template says unless ``add_special_tokens`` is False.

        Raises ``TypeError`` for anything but a str.
        """
        ids = self._ids(text)
        return self.special.frame(ids)[0] if add_special_tokens else ids

    def encode_pair(
        self, first: str, second: str, max_length: int | None = None
    ) -> tuple[list[int], list[int]]:
        """Ids and type ids of two texts in one sequence, for models that compare them.

        With ``max_length`` the longer text is cut first, until both fit.
        """
        ids_a, ids_b = self._ids(first), self._ids(second)
        if max_length is not None:
            room = self._room(max_length, pair=True)
            keep_a, keep_b = _share(len(ids_a), len(ids_b), room)
            ids_a, ids_b = ids_a[:keep_a], ids_b[:keep_b]
        return self.special.frame(ids_a, ids_b)

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of a sequence of ids; raises ``ValueError`` for one outside the vocabulary."""
        hidden = {t.id for t in self.special.added if t.special} if skip_special_tokens else ()
        tokens = []
        for position, id_ in enumerate(ids):
            if int(id_) not in self.tokens:
                raise ValueError(
                    f"decode expected ids of a vocabulary of {self.vocab_size}, "
                    f"got {id_} at position {position}"
                )
            if int(id_) not in hidden:
                tokens.append(self.tokens[int(id_)])
        return self.decode_plain(tokens)

    def batch(
        self, texts: Sequence[str], max_length: int | None = None, side: str = "right"
    ) -> Encoded:
        """Ids (B, T) and mask (B, T) of several texts, padded on ``side`` to the longest.

        With ``max_length`` a text is cut so that it fits together with its special tokens.
        Raises ``ValueError`` if the lengths differ and the tokenizer has no padding token.
        """
        if isinstance(texts, str):
            raise TypeError("batch expected a list of texts, got one str")
        if side not in ("left", "right"):
            raise ValueError(f"side expected 'left' or 'right', got {side!r}")
        room = None if max_length is None else self._room(max_length)
        rows = [self.special.frame(self._ids(text)[:room])[0] for text in texts]
        width = max(map(len, rows), default=0)
        pad = self.special.id_of("pad")
        if pad is None and any(len(row) != width for row in rows):
            raise ValueError(
                "texts of different lengths expected a padding token, got none: "
                "name one in tokenizer.special.roles['pad']"
            )
        ids = np.full((len(rows), width), pad or 0, dtype=np.int64)  # (B, T)
        mask = np.zeros((len(rows), width), dtype=bool)  # (B, T)
        for i, row in enumerate(rows):
            where = slice(len(row)) if side == "right" else slice(width - len(row), width)
            ids[i, where], mask[i, where] = row, True
        return Encoded(ids, mask)

    def save(self, folder: str | Path) -> None:
        """Write the tokenizer into ``folder``; ``load`` reads it back."""
        write_files(folder, self.files())

    @classmethod
    def load(cls, folder: str | Path) -> "Tokenizer":
        """The tokenizer saved in ``folder``; raises ``TypeError`` if it is of another kind."""
        from minitx import tokens  # the door knows every kind, this file none

        tokenizer = tokens.load(folder)
        if not isinstance(tokenizer, cls):
            raise TypeError(f"expected a {cls.__name__} in {folder}, got {tokenizer!r}")
        return tokenizer

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size})"

    def _ids(self, text: str) -> list[int]:
        if not isinstance(text, str):
            raise TypeError(f"encode expected a str, got {type(text).__name__}")
        ids: list[int] = []
        for piece in self.special.split(text):
            ids += [piece] if isinstance(piece, int) else self.encode_plain(piece)
        return ids

    def _room(self, max_length: int, pair: bool = False) -> int:
        room = max_length - self.special.room(pair)
        if room < 0:
            raise ValueError(
                f"max_length {max_length} is less than the {self.special.room(pair)} special tokens"
            )
        return room

    def _config_files(self) -> dict[str, str]:
        """``tokenizer_config.json``, which names the token of every role."""
        roles = {f"{role}_token": token for role, token in self.special.roles.items()}
        return {"tokenizer_config.json": to_json(roles)}


def _check_vocabulary(vocab: Mapping[str, int]) -> None:
    if not vocab:
        raise ValueError("a vocabulary expected at least one token, got none")
    seen: dict[int, str] = {}
    for token, id_ in vocab.items():
        if not isinstance(id_, int) or isinstance(id_, bool) or id_ < 0:
            raise ValueError(f"token {token!r} expected an id of 0 or more, got {id_!r}")
        if id_ in seen:
            raise ValueError(f"tokens {seen[id_]!r} and {token!r} have the same id {id_}")
        seen[id_] = token


def _share(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens two texts keep within ``room``, cutting the longer one first."""
    if first + second <= room:
        return first, second
    short = min(first, second, room // 2)
    return (short, room - short) if first <= second else (room - short, short)
