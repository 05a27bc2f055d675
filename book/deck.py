"""Which parts of a built page become slides, and which become their notes.

A page gives a slide with its goals, the slides of its sections as `blocks` has them chosen, and one
with its exercises. What is not shown stays with the speaker: it becomes the notes of the slide
before it. The title of a slide is what its paragraph says in bold, or else that of the section.
"""

import re
from dataclasses import dataclass, field

from blocks import blocks, by_default, lead
from bs4 import BeautifulSoup, Tag

SPOKEN = ("text", "list", "formula")  # these make notes; code and pictures do not


@dataclass
class Slide:
    """A slide: title and section as HTML, blocks that are shown, blocks that are said."""

    title: str
    section: str = ""
    shown: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    kind: str = "slide"


def deck(html: str) -> list[Slide]:
    """The slides of a page: its goals, its sections, its exercises."""
    page = BeautifulSoup(html, "html.parser").find("article")
    clean(page)
    slides = [opening(page)]
    for section in sections(page):
        if section.find(class_="exercise"):
            slides.append(exercises(section))
        else:
            add_section(section, slides)
    return slides


def clean(page: Tag) -> None:
    """Remove what only the site can use: links within it, folded input, buttons."""
    for tag in page.select("a.headerlink, details.hide, details.sd-dropdown, script, .run-bar"):
        tag.decompose()
    for link in page.find_all("a"):
        if not link.get("href", "").startswith(("http:", "https:")):
            link.unwrap()
    for tag in page.find_all("img"):
        tag.attrs = {key: tag[key] for key in ("src", "alt") if key in tag.attrs}


def opening(page: Tag) -> Slide:
    title = page.h1.decode_contents()
    rows = page.select(".page-card-row")
    for row in rows:
        row.p.name = "h3"
    shown = [child for row in rows[:1] for child in row.find_all("ul")]
    about = [child for row in rows[1:] for child in row.find_all(["h3", "p"])]
    return Slide(title, "", shown, about, "opening")


def sections(page: Tag) -> list[Tag]:
    found = [h.parent for h in page.find_all(["h2", "h3"]) if h.parent.name == "section"]
    return [section for section in found if not section.find_parent(class_="exercise")]


def heading(section: Tag) -> str:
    return section.find(["h1", "h2", "h3"], recursive=False).decode_contents()


def add_section(section: Tag, slides: list[Slide]) -> None:
    """Append the slides of a section; what comes before the first of them is said with it."""
    own = list(blocks(section))
    if any(block.action == "skip section" for block in own):
        return
    by_default(section.get("id", ""), own)
    under = heading(section.parent) if section.h3 and not section.h2 else ""
    new, leads, notes, bold = [], None, [], ""
    for block in own:
        bold = lead(block.tag) or bold
        if block.action == "lead" and leads is None:
            leads = Slide(heading(section), under, notes=[] if new else notes, kind="leads")
            new.append(leads)
        elif block.action == "slide" or (block.action == "more" and not new):
            title = block.title or (block.kind != "table" and bold) or heading(section)
            above = under if title == heading(section) else heading(section)
            new.append(Slide(title, above, notes=[] if new else notes))
        notes = new[-1].notes if new else notes
        if block.action == "lead":
            leads.shown.append(f"<li>{bold}</li>")
            leads.notes.append(block.tag)
        elif block.action in ("slide", "more"):
            new[-1].shown.append(block.tag)
        elif block.kind in SPOKEN:
            notes.append(block.tag)
        notes += [f"<p>{remark}</p>" for remark in block.remarks]
    if not new:
        slides[-1].notes += notes
    slides += new


def exercises(section: Tag) -> Slide:
    """One slide that lists them: title, then kind, difficulty and minutes."""
    slide = Slide("Exercises", kind="exercises")
    for box in section.find_all(class_="exercise"):
        title = box.find(class_="admonition-title").get_text(" ", strip=True)
        about = box.find("em")
        title = re.sub(r"^Exercise \d+\s*\((.*)\)$", r"\1", title)
        slide.shown.append(f"<li>{title}<br><em>{about.text if about else ''}</em></li>")
    return slide
