"""One token a character: the smallest vocabulary, the longest sequences.

Slot: tokens.
"""

from pathlib import Path

from minitx.tokens.files import expect, read_json, to_json
from minitx.tokens.special import AddedToken, SpecialTokens
from minitx.tokens.tokenizer import Tokenizer

FILE = "characters.json"


class CharTokenizer(Tokenizer):
    """Each of ``characters`` is a token, its id its place; special tokens come after them.

    Encoding a character that is not among them raises ``ValueError``.
    """

    def __init__(self, characters: str, special: tuple[str, ...] = ()):
        if len(set(characters)) != len(characters):
            raise ValueError("CharTokenizer expected every character once, got one twice")
        self.characters = characters
        added = [AddedToken(token, len(characters) + i) for i, token in enumerate(special)]
        vocab = {character: id_ for id_, character in enumerate(characters)}
        super().__init__(vocab, SpecialTokens(added))

    @classmethod
    def from_text(cls, text: str, special: tuple[str, ...] = ()) -> "CharTokenizer":
        """The tokenizer of all characters of ``text``, sorted."""
        return cls("".join(sorted(set(text))), special)

    def encode_plain(self, text: str) -> list[int]:
        try:
            return [self.vocab[character] for character in text]
        except KeyError as error:
            raise ValueError(self._unknown(error.args[0], text)) from None

    def decode_plain(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def files(self) -> dict[str, str]:
        special = [token.content for token in self.special.added]
        return {FILE: to_json({"characters": self.characters, "special": special})}

    @classmethod
    def read(cls, folder: Path) -> "CharTokenizer":
        """The tokenizer that ``save`` wrote into ``folder``."""
        path = folder / FILE
        stored = read_json(path)
        characters = expect(stored.get("characters"), str, f"{path}: characters")
        special = expect(stored.get("special", []), list, f"{path}: special")
        return cls(characters, tuple(expect(s, str, f"{path}: special") for s in special))

    def _unknown(self, character: str, text: str) -> str:
        return (
            f"character {character!r} (U+{ord(character):04X}) at position "
            f"{text.index(character)} is not among the {len(self.characters)} of this tokenizer: "
            "leave it out, build the tokenizer from text that has it (CharTokenizer.from_text), "
            "or use ByteBPE, which can write any text"
        )
