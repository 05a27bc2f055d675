"""What is a token? Characters, byte pairs, word pieces, digits of numbers, patches of images.

Tokenizers of text share one interface (``Tokenizer``); numbers and patches are functions on arrays
with an exact inverse. ``load`` reads what ``save`` wrote, and the files of Hugging Face's library.
"""

from pathlib import Path

from minitx.tokens import huggingface
from minitx.tokens.bpe import ByteBPE
from minitx.tokens.character import FILE, CharTokenizer
from minitx.tokens.numbers import NumberTokens, from_digits, to_digits
from minitx.tokens.patches import from_patches, to_patches, windows
from minitx.tokens.pretokenize import ByteLevel, Digits, Split
from minitx.tokens.special import AddedToken, SpecialTokens, Template
from minitx.tokens.tokenizer import Encoded, Tokenizer
from minitx.tokens.wordpiece import BertNormalizer, WordPiece


def load(folder: str | Path) -> Tokenizer:
    """The tokenizer that ``folder`` holds, of whatever kind.

    Raises ``FileNotFoundError`` if it holds none, ``ValueError`` for a file that cannot be read
    as one.
    """
    folder = Path(folder)
    if (folder / FILE).is_file():
        return CharTokenizer.read(folder)
    return huggingface.load(folder)


__all__ = [
    "AddedToken",
    "BertNormalizer",
    "ByteBPE",
    "ByteLevel",
    "CharTokenizer",
    "Digits",
    "Encoded",
    "NumberTokens",
    "SpecialTokens",
    "Split",
    "Template",
    "Tokenizer",
    "WordPiece",
    "from_digits",
    "from_patches",
    "load",
    "to_digits",
    "to_patches",
    "windows",
]
