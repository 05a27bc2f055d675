"""Special tokens: pieces of text with an id of their own, and the frame that a model expects.

Slot: tokens. Text is first cut at the added tokens; what lies between goes to the tokenizer
proper; a template then says where tokens such as ``[CLS]`` and ``[SEP]`` stand around it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from minitx.tokens.unicode import WHITESPACE

FIRST, SECOND = "$A", "$B"  # where the first and the second text go in a template


@dataclass(frozen=True)
class AddedToken:
    """A text that is one token wherever it stands.

    ``special`` tokens are left out by ``decode``; ``lstrip`` and ``rstrip`` swallow the white
    space on that side.
    """

    content: str
    id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False


@dataclass(frozen=True)
class Template:
    """Where the tokens of one text, or of two, stand among special ones.

    Each part is ``(name, type_id)``; the name is ``"$A"``, ``"$B"`` or a special token's text,
    the type says to which text the position belongs. BERT's is ``[CLS] $A [SEP] $B [SEP]``.
    """

    single: Sequence[tuple[str, int]] = ((FIRST, 0),)
    pair: Sequence[tuple[str, int]] = ((FIRST, 0), (SECOND, 1))

    @classmethod
    def of(cls, single: str, pair: str) -> "Template":
        """A template from two lines such as ``"[CLS] $A [SEP]"``; ``:1`` gives a type."""
        return cls(_parts(single), _parts(pair))


def _parts(line: str) -> tuple[tuple[str, int], ...]:
    cut = [part.partition(":") for part in line.split(" ")]
    return tuple((name, int(type_id or 0)) for name, _, type_id in cut)


class SpecialTokens:
    """The added tokens of a tokenizer, its template, and which token plays which role.

    ``roles`` maps "pad", "eos", "bos", "unk", "cls", "sep", "mask" to a token's text; ``ids`` maps
    that text to its id. Raises ``ValueError`` for an empty or repeated token, or a template that
    names a token that is not there.
    """

    def __init__(
        self,
        added: Sequence[AddedToken] = (),
        template: Template | None = None,
        roles: Mapping[str, str] | None = None,
    ):
        self.added = tuple(added)
        self.template = Template() if template is None else template
        self.roles = dict(roles or {})
        self.ids = {token.content: token.id for token in self.added}
        if "" in self.ids:
            raise ValueError("an added token expected some text, got an empty one")
        if len(self.ids) != len(self.added):
            raise ValueError("the added tokens must differ from each other, got one twice")
        _check_names(self.template.single, {FIRST, *self.ids})
        _check_names(self.template.pair, {FIRST, SECOND, *self.ids})
        longest_first = sorted(self.ids, key=len, reverse=True)
        self._cut = re.compile("|".join(map(re.escape, longest_first)))

    def split(self, text: str) -> Iterator[str | int]:
        """The text cut at added tokens: strings between them, ids for them."""
        by_content = {token.content: token for token in self.added}
        start, strip_left = 0, False
        for match in self._cut.finditer(text) if self.added else ():
            token = by_content[match.group()]
            yield from _between(text[start : match.start()], strip_left, token.lstrip)
            yield token.id
            start, strip_left = match.end(), token.rstrip
        yield from _between(text[start:], strip_left, False)

    def frame(self, first: list[int], second: list[int] | None = None) -> tuple[list, list]:
        """Ids and type ids of one text or two, with the special tokens of the template."""
        ids, types = [], []
        for name, type_id in self.template.single if second is None else self.template.pair:
            part = {FIRST: first, SECOND: second}.get(name) if name[0] == "$" else None
            part = [self.ids[name]] if part is None else part
            ids += part
            types += [type_id] * len(part)
        return ids, types

    def room(self, pair: bool = False) -> int:
        """How many special tokens the template adds."""
        return len(self.frame([], [] if pair else None)[0])

    def id_of(self, role: str) -> int | None:
        """The id of the token that plays ``role`` ("pad", "eos", ...), or None."""
        return self.ids.get(self.roles.get(role, ""))


def _check_names(parts: Sequence[tuple[str, int]], known: set[str]) -> None:
    for name, _ in parts:
        if name not in known:
            raise ValueError(f"the template names {name!r}, which is no added token")


def _between(text: str, strip_left: bool, strip_right: bool) -> Iterator[str]:
    text = text.lstrip(WHITESPACE) if strip_left else text
    text = text.rstrip(WHITESPACE) if strip_right else text
    if text:
        yield text
