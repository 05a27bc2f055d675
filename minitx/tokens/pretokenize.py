"""Cutting text into words before BPE: a merge never crosses a cut.

Slot: tokens. Each step maps a text to pieces that join to the same text (``ByteLevel`` may put a
space in front). The patterns are those of GPT-2 and Llama 3; no other pattern is read from a file,
since engines of regular expressions differ in ways that would change tokens silently.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2).
"""

from collections.abc import Sequence
from typing import Protocol

from minitx.tokens.unicode import compile_pattern

PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


class Step(Protocol):
    """One way to cut a text into pieces."""

    def __call__(self, text: str) -> list[str]: ...

    def config(self) -> dict:
        """The step as ``tokenizer.json`` writes it."""


class ByteLevel:
    """GPT-2's cut: contractions, words with the space before them, numbers, symbols, spaces."""

    def __init__(self, add_prefix_space: bool = False, use_regex: bool = True):
        self.add_prefix_space = add_prefix_space
        self.use_regex = use_regex

    def __call__(self, text: str) -> list[str]:
        if self.add_prefix_space and not text.startswith(" "):
            text = " " + text
        return compile_pattern(PATTERNS["gpt2"]).findall(text) if self.use_regex else [text]

    def config(self) -> dict:
        return {
            "type": "ByteLevel",
            "add_prefix_space": self.add_prefix_space,
            "trim_offsets": True,
            "use_regex": self.use_regex,
        }


class Split:
    """The cut that a named pattern makes: ``Split("llama3")``."""

    def __init__(self, name: str):
        if name not in PATTERNS:
            raise ValueError(f"Split expected one of {sorted(PATTERNS)}, got {name!r}")
        self.name = name

    def __call__(self, text: str) -> list[str]:
        return compile_pattern(PATTERNS[self.name]).findall(text)

    def config(self) -> dict:
        pattern = {"Regex": PATTERNS[self.name]}
        return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


class Digits:
    """Every digit alone."""

    def __call__(self, text: str) -> list[str]:
        return compile_pattern(r"\p{N}|[^\p{N}]+").findall(text)

    def config(self) -> dict:
        return {"type": "Digits", "individual_digits": True}


def apply_steps(steps: Sequence[Step], text: str) -> list[str]:
    """The pieces of ``text`` after every step in turn."""
    pieces = [text]
    for step in steps:
        pieces = [part for piece in pieces for part in step(piece)]
    return pieces
