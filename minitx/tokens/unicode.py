"""Classes of characters as Unicode has them: letters, numbers, white space, punctuation.

Patterns of published tokenizers say ``\\p{L}`` (any letter) and ``\\p{N}`` (any number), which the
standard library's ``re`` does not know, and their ``\\s`` is Unicode's white space, which differs
from Python's (Python counts the separators U+001C to U+001F). ``compile_pattern`` writes the
classes out from ``unicodedata`` and so gives the same matches. A character newer than the Unicode
version of the running Python (14 in Python 3.11) has no class yet.
"""

import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby

WHITESPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def is_punctuation(character: str) -> bool:
    """Whether BERT cuts at ``character``: Unicode's P classes, and ASCII's symbols too."""
    ascii_symbol = character.isascii() and character.isprintable() and not character.isalnum()
    return (ascii_symbol and character != " ") or unicodedata.category(character)[0] == "P"


@lru_cache
def _ranges() -> dict[str, str]:
    """The inside of a character class for letters, numbers and white space."""
    found: dict[str, list[str]] = {"L": [], "N": []}
    codes = groupby(range(sys.maxunicode + 1), lambda code: unicodedata.category(chr(code))[0])
    for major, run in codes:
        if major in found:
            first, *rest = run
            found[major].append(f"{chr(first)}-{chr(rest[-1])}" if rest else chr(first))
    return {
        r"\p{L}": "".join(found["L"]),
        r"\p{N}": "".join(found["N"]),
        r"\s": re.escape(WHITESPACE),
    }


@lru_cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern with ``\\p{L}``, ``\\p{N}``, ``\\s``, ``\\S`` of Unicode, compiled by ``re``.

    Raises ``ValueError`` for any other class of the form ``\\p{...}``.
    """
    classes = _ranges()
    inside = False  # within [...], where a class is written without brackets of its own

    def replace(match: re.Match[str]) -> str:
        nonlocal inside
        piece = match.group()
        if piece in "[]":
            inside = piece == "["
            return piece
        if piece == r"\S" and not inside:
            return "[^" + classes[r"\s"] + "]"
        if piece not in classes:
            raise ValueError(f"expected the classes \\p{{L}}, \\p{{N}}, \\s, \\S, got {piece}")
        return classes[piece] if inside else f"[{classes[piece]}]"

    return re.compile(re.sub(r"\\[pP]\{\^?\w*\}|\\[sS]|[\[\]]", replace, pattern))
