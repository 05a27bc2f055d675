"""The assembler: from text to a Program.

    x:     .word 12          ; a cell of memory; several cells: .word 1 2 3
    loop:  subleq x y done   ; y -= x; if y <= 0 go to done
           subleq x y        ; go on with the next instruction in either case
    done:  .halt             ; stay here for ever

A label names what follows it, a cell or an instruction. ``label+1`` is the place after it. What
follows a semicolon is for people.
"""

import re
from typing import NamedTuple

from minitx.programs.program import Program

_NAME = re.compile(r"[A-Za-z_]\w*")
_PLACE = re.compile(r"([A-Za-z_]\w*)(?:\+(\d+))?")
_ZERO = "_zero"  # the cell that .halt takes from itself


class AssemblyError(ValueError):
    """A program is not right; the message has the number of the line, and what is wrong there."""


class Line(NamedTuple):
    """One instruction as it was written: ``words`` are its operands."""

    number: int
    words: list[str]
    halt: bool = False


def assemble(text: str, word_bits: int = 8) -> Program:
    """The Program that ``text`` describes, for words of so many bits.

    Raises AssemblyError, naming the line: an unknown word, a label that is there twice or nowhere,
    an operand that is no cell, a jump outside the program, a value that does not fit.
    """
    cells, names, labels, lines = _read(text, word_bits)
    own, code = len(cells) - (_ZERO in names), []
    for place, line in enumerate(lines):
        if line.halt:
            code.append((names[_ZERO], names[_ZERO], place))
            continue
        if len(line.words) not in (2, 3):
            raise _error(line.number, f"subleq expected a, b and perhaps c, got {line.words}")
        a, b = (_cell(word, names, labels, own, line.number) for word in line.words[:2])
        c = place + 1
        if len(line.words) == 3:
            c = _target(line.words[2], names, labels, len(lines), line.number)
        code.append((a, b, c))
    if not lines:
        raise AssemblyError("the program has no instruction: it needs at least .halt")
    a, b, c = code[-1]
    if a != b or c == len(code):
        raise _error(lines[-1].number, "the program runs off its end here: put .halt after it")
    return Program(tuple(cells), tuple(code), names, labels, word_bits)


def _read(text: str, word_bits: int) -> tuple[list, dict, dict, list[Line]]:
    """The cells, where each name is, and the instructions as lines."""
    cells: list[int] = []
    names: dict[str, int] = {}
    labels: dict[str, int] = {}
    lines: list[Line] = []
    waiting: list[str] = []  # labels whose place comes with the next statement
    for number, written in enumerate(text.splitlines(), 1):
        rest = written.partition(";")[0].strip()
        while ":" in rest:
            label, _, rest = (part.strip() for part in rest.partition(":"))
            _check_label(label, [*names, *labels, *waiting], number)
            waiting.append(label)
        if not rest:
            continue
        word, *operands = rest.replace(",", " ").split()
        word = word.lower()
        if word == ".word":
            names |= dict.fromkeys(waiting, len(cells))
            cells += [_value(each, word_bits, number) for each in operands or ["0"]]
        elif word in ("subleq", ".halt"):
            labels |= dict.fromkeys(waiting, len(lines))
            if word == ".halt" and operands:
                raise _error(number, f".halt expected nothing after it, got {operands}")
            lines.append(Line(number, operands, word == ".halt"))
        else:
            raise _error(number, f"expected subleq, .word or .halt, got {word!r}")
        waiting = []
    if waiting:
        raise AssemblyError(f"the label {waiting[0]!r} stands at the end and names nothing")
    if any(line.halt for line in lines):
        names[_ZERO] = len(cells)
        cells.append(0)
    return cells, names, labels, lines


def _check_label(label: str, known: list[str], number: int) -> None:
    if not _NAME.fullmatch(label) or label == _ZERO:
        raise _error(number, f"a label expected letters, digits and _, got {label!r}")
    if label in known:
        raise _error(number, f"there are two labels {label!r}")


def _value(word: str, word_bits: int, number: int) -> int:
    low, high = -(2 ** (word_bits - 1)), 2 ** (word_bits - 1) - 1
    if not re.fullmatch(r"[+-]?\d+", word):
        raise _error(number, f".word expected whole numbers, got {word!r}")
    if not low <= int(word) <= high:
        raise _error(number, f"{word} does not fit into {word_bits} bits: {low} to {high}")
    return int(word)


def _cell(word: str, names: dict, labels: dict, count: int, number: int) -> int:
    found = _place(word, names, number)
    if found is None:
        what = "is an instruction, and not a cell" if word in labels else "is not there"
        raise _error(number, f"the operand {word!r} {what}; cells: {_listed(names)}")
    if found >= count:
        raise _error(number, f"the operand {word!r} is outside the memory of {count} cells")
    return found


def _target(word: str, names: dict, labels: dict, count: int, number: int) -> int:
    found = _place(word, labels, number)
    if found is None:
        what = "is a cell, and not an instruction" if word in names else "is not there"
        raise _error(number, f"the jump to {word!r}: it {what}; labels: {_listed(labels)}")
    if found >= count:
        raise _error(number, f"the jump to {word!r} is outside the program of {count} instructions")
    return found


def _place(word: str, known: dict[str, int], number: int) -> int | None:
    """The number that a word means: itself, a label, or a label and an offset."""
    if word.isdecimal():
        return int(word)
    match = _PLACE.fullmatch(word)
    if match is None:
        raise _error(number, f"expected a label, a label+1 or a number, got {word!r}")
    return known[match[1]] + int(match[2] or 0) if match[1] in known else None


def _listed(known: dict[str, int]) -> str:
    return ", ".join(name for name in known if name != _ZERO) or "none"


def _error(number: int, what: str) -> AssemblyError:
    return AssemblyError(f"line {number}: {what}")
