"""What a section of a page consists of, and what of it is shown when its author does not say.

A block is a paragraph, a formula, a cell, a table. Comments in the page's source say what is shown:

    <!-- slide -->            the next block opens a slide
    <!-- slide: Title -->     the same, under this title instead of the section's
    <!-- more -->             the next block joins the slide
    <!-- skip -->             the next block is not shown
    <!-- skip section -->     nothing of the section is
    <!-- note: text -->       a sentence for the speaker

and so do the tags `slide`, `more` and `skip` of a cell. The rest follows `by_default`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bs4 import Comment, Tag

MARK = re.compile(r"\s*(slide|more|skip section|skip|note)(?::\s*(.*\S))?\s*\Z", re.S)
LONGEST = 24  # lines of code that a slide shows by default
WORDY = 70  # words of a paragraph that a slide shows by default


@dataclass
class Block:
    """A block of a section, what it is, and what is to be done with it."""

    tag: Tag
    kind: str
    action: str = ""  # "slide", "more", "lead" or nothing
    title: str = ""
    remarks: list = field(default_factory=list)


def blocks(section: Tag) -> Iterator[Block]:
    """The section's own blocks; a mark is turned into an action of the block behind it."""
    action, title, remarks = "", "", []
    for child in section.children:
        if isinstance(child, Comment) and (mark := MARK.match(child)):
            if mark[1] == "note":
                remarks.append(mark[2] or "")
            else:
                action, title = mark[1], mark[2] or ""
        elif isinstance(child, Tag) and child.name not in ("h2", "h3", "section", "span"):
            classes = child.get("class", [])
            tags = (it for it in ("slide", "more", "skip") if f"tag_{it}" in classes)
            action = action or next(tags, "")
            yield Block(child, kind_of(child), action, title, remarks)
            action, title, remarks = "", "", []
    if action or remarks:  # of a mark with nothing behind it
        yield Block(section, "none", action, title, remarks)


def kind_of(tag: Tag) -> str:
    classes = " ".join(tag.get("class", []))
    if "cell" in classes.split():
        return "figure" if tag.find("img") else "cell"
    if classes.startswith("math"):
        return "formula"
    if classes.startswith("highlight"):
        return "code"
    if tag.name == "table" or tag.find("table"):
        return "table"
    kinds = {"p": "text", "ul": "list", "ol": "list", "dl": "list", "figure": "figure"}
    return kinds.get(tag.name, "other")


def by_default(name: str, own: list[Block]) -> None:
    """Choose where nothing is said: the question, figures, tables, formulas with a number,
    sentences that stand in bold and, where the page builds or checks, its first code."""
    leads = [block for block in own if lead(block.tag) and not block.action]
    if len(leads) > 2 and sum(map(words_in_bold, leads)) >= 3 * len(leads):
        for block in leads:
            block.action = "lead"
    chosen, before = choice(name, own), None
    for block in own:
        before = None if lead(block.tag) else before
        if any(block is it for it in chosen) and not block.action:
            block.action = "more" if before and go_together(before, block) else "slide"
            if block.kind == "figure" and lines(block) > LONGEST // 2:
                for code in block.tag.select(".cell_input"):
                    code.decompose()
        before = block if block.action in ("slide", "more") else before


def choice(name: str, own: list[Block]) -> list[Block]:
    """The blocks that a section of this name shows when nothing is said."""
    chosen = [block for block in own if block.kind in ("figure", "table") or numbered(block)]
    code = [block for block in own if block.kind in ("cell", "code")]
    if name.startswith("the-question"):
        asked = [b for b in own if b.kind == "text" and "?" in b.tag.text and words(b) <= WORDY]
        chosen += asked[-1:]
    if name.startswith("by-hand"):
        chosen += [block for block in own if block.kind == "formula"][:1]
    if name.startswith("break"):
        pairs = [pair for pair in zip(own, own[1:]) if announces(*pair)]
        chosen += [block for pair in pairs for block in pair]
    if name.startswith(("by-hand", "build", "check")) and not any(b.action for b in code):
        chosen += [block for block in code if lines(block) <= LONGEST][:1]
    return chosen


def announces(text: Block, code: Block) -> bool:
    """A sentence that ends in a colon, and the mistake that it speaks of."""
    said = text.kind == "text" and text.tag.text.rstrip().endswith(":") and words(text) <= WORDY
    return said and code.kind == "code" and not text.action and not code.action


def go_together(before: Block, block: Block) -> bool:
    """Two formulas, a question and its figure, what is said or written and its code."""
    pairs = "formula formula", "text figure", "text code", "formula cell"
    return before.action == "slide" and f"{before.kind} {block.kind}" in pairs


def numbered(block: Block) -> bool:
    return block.kind == "formula" and block.tag.find(class_="eqno") is not None


def words(block: Block) -> int:
    return len(block.tag.text.split())


def lines(block: Block) -> int:
    return block.tag.text.strip().count("\n") + 1


def words_in_bold(block: Block) -> int:
    return len(block.tag.strong.text.split())


def lead(tag: Tag) -> str:
    """What a paragraph begins with in bold, or nothing."""
    first = next((it for it in tag.children if str(it).strip()), None)
    if tag.name != "p" or not isinstance(first, Tag) or first.name != "strong":
        return ""
    return re.sub(r"[.,:;]\s*$", "", first.decode_contents())
