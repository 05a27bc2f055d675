"""Decks and figures: what a page gives, and that a deck needs nothing but itself."""

import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bs4")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def modules():
    """`deck`, `slides` and `figures`, which lie beside the pages."""
    sys.path.insert(0, str(ROOT / "book"))
    try:
        import deck
        import figures
        import slides
    finally:
        sys.path.pop(0)
    return deck, slides, figures


def page(*sections: str) -> str:
    """A page as Sphinx writes it, with a card, and these sections."""
    card = (
        '<div class="page-card docutils container"><div class="page-card-row docutils container">'
        "<p><strong>You will be able to</strong></p><ul><li><p>count</p></li></ul></div></div>"
    )
    return f'<article><section id="a"><h1>A page</h1>{card}{"".join(sections)}</section></article>'


def section(name: str, *blocks: str) -> str:
    title = name.replace("-", " ").capitalize()
    title = f'<h2>{title}<a class="headerlink">#</a></h2>'
    return f'<section id="{name}">{title}{"".join(blocks)}</section>'


def formula(text: str, number: str = "") -> str:
    label = f"<span class='eqno'>{number}</span>" if number else ""
    return f'<div class="math notranslate">{label}{text}</div>'


def cell(code: str, shown: str = "", tags: str = "") -> str:
    return (
        f'<div class="cell {tags} docutils container"><div class="cell_input"><pre>{code}</pre>'
        f'</div><div class="cell_output">{shown}</div></div>'
    )


def titles(slides) -> list[tuple[str, int]]:
    """Titles of the slides behind the first, and how many blocks each shows."""
    return [(slide.title, len(slide.shown)) for slide in slides[1:]]


def test_the_first_slide_has_the_goals(modules):
    first, *rest = modules[0].deck(page())
    assert (first.title, first.kind, rest) == ("A page", "opening", [])
    assert first.shown[0].get_text() == "count"


def test_a_page_without_marks_gives_question_formulas_figures_code_and_summary(modules):
    figure = '<figure><img src="x.png" alt="x"><figcaption>words</figcaption></figure>'
    slides = modules[0].deck(
        page(
            section(
                "the-question",
                "<p>Some history.</p>",
                "<p>Who is it?</p>",
                cell("1\n" * 40, figure),
            ),
            section(
                "derivation",
                "<p><strong>A wish.</strong> Said.</p>",
                formula("a", "(1)"),
                formula("b"),
                formula("c", "(2)"),
            ),
            section("build-it-slowly", cell("x\n" * 60), cell("short = 1"), cell("other = 2")),
            section("use-it", cell("not shown"), "<p>Only said.</p>"),
            section(
                "break-it",
                "<p>Two mistakes.</p>",
                "<p>The sum, forgotten:</p>",
                '<div class="highlight-default"><pre>1</pre></div>',
            ),
            section("summary", "<table><tr><td>all</td></tr></table>"),
        )
    )
    assert titles(slides) == [
        ("The question", 2), ("A wish", 2), ("Build it slowly", 1), ("Break it", 2), ("Summary", 1),
    ]  # fmt: skip
    assert slides[1].shown[1].find(class_="cell_input") is None  # forty lines stay on the page
    assert "short = 1" in slides[3].shown[0].get_text()
    assert slides[2].section == "Derivation"


def test_what_is_not_shown_is_said(modules):
    slides = modules[0].deck(
        page(
            section(
                "derivation",
                "<p>Before.</p>",
                formula("a", "(1)"),
                "<p>After.</p>",
                "<ul><li>Listed.</li></ul>",
            ),
            section("thoughts", "<p>No slide here.</p>", cell("code is not said")),
        )
    )
    said = [block.get_text() for block in slides[1].notes]
    assert said == ["Before.", "After.", "Listed.", "No slide here."]


def test_three_sentences_in_bold_are_an_outline(modules):
    bold = [f"<p><strong>Law number {n},</strong> which holds.</p>" for n in range(3)]
    for count, wanted in ((2, []), (3, [("Check it", 3)])):
        slides = modules[0].deck(page(section("check-it", *bold[:count])))
        assert titles(slides) == wanted
    assert slides[1].shown[0] == "<li>Law number 0</li>"
    assert "which holds" in slides[1].notes[2].get_text()


def test_marks_say_what_is_shown(modules):
    slides = modules[0].deck(
        page(
            section(
                "use-it",
                "<p>Said.</p>",
                "<!-- slide: My title -->", "<p>Shown.</p>",
                "<!-- more -->", formula("a"),
                "<!-- note: Ask first. -->", "<p>Said too.</p>",
                cell("f()", tags="tag_slide"),
                "<!-- skip -->", formula("b", "(1)"),
                cell("<img src='x.png'>", tags="tag_skip"),
                "<!-- an ordinary comment -->", "<p>Last.</p>",
            ),
            section("derivation", formula("c", "(2)"), "<!-- skip section -->"),
        )
    )  # fmt: skip
    assert titles(slides) == [("My title", 2), ("Use it", 1)]
    assert [str(note) for note in slides[1].notes] == [
        "<p>Said.</p>", "<p>Said too.</p>", "<p>Ask first.</p>",
    ]  # fmt: skip
    assert "Last." in str(slides[2].notes[-1])


def test_exercises_are_listed_with_their_minutes(modules):
    box = (
        '<div class="exercise admonition"><p class="admonition-title">'
        '<span class="caption-number">Exercise 7 </span> (Heads)</p><section id="exercise-content">'
        "<p><em>To implement, hard, 20 minutes.</em> Do.</p></section></div>"
    )
    (slide,) = modules[0].deck(page(section("exercises", "<p>How.</p>", box)))[1:]
    assert slide.kind == "exercises"
    assert slide.shown == ["<li>Heads<br><em>To implement, hard, 20 minutes.</em></li>"]


def test_a_drawing_is_found_by_the_hash_of_its_picture(modules):
    png = base64.b64encode(b"a picture").decode()
    both, one = {"image/png": png, "image/svg+xml": ["<svg>", "</svg>"]}, {"image/png": png}
    cells = [{"cell_type": "markdown"}, {"outputs": [{"data": one}, {"text": "4"}, {"data": both}]}]
    found = modules[2].drawings({"cells": cells})
    assert found == {hashlib.sha256(b"a picture").hexdigest(): "<svg></svg>"}


def test_what_is_in_a_script_cannot_end_it(modules):
    assert modules[1].closed("x = '</script>'") == "x = '<\\/script>'"


def test_marks_in_the_pages_are_known(modules):
    """A misspelled mark would be an ordinary comment, and its slide would be missing."""
    from blocks import MARK

    for path in (ROOT / "book").rglob("*.md"):
        for comment in re.findall(r"^<!--(.*?)-->$", path.read_text("utf8"), re.M | re.S):
            assert MARK.match(comment), f"{path.name}: {comment}"


@pytest.fixture(scope="module")
def decks(build, tmp_path_factory) -> dict[str, Path]:
    """The decks of all pages, made from the built book."""
    out = tmp_path_factory.mktemp("slides")
    command = [sys.executable, str(ROOT / "book" / "slides.py"), "--out", str(out)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return {path.stem: path for path in sorted(out.glob("*.html"))}


@pytest.mark.book
def test_every_page_with_a_card_has_a_deck_that_opens_alone(decks, browser, html, page_names):
    wanted = [n for n in page_names if "You will be able to" in (html / f"{n}.html").read_text()]
    assert sorted(decks) == sorted(name.replace("/", "-") for name in wanted)
    wrong = []
    tab = browser.new_page()
    tab.set_viewport_size({"width": 1600, "height": 900})
    tab.on("request", lambda request: wrong.append(request.url))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    for path in decks.values():
        tab.goto(path.as_uri())
        tab.wait_for_selector("body[data-ready]", state="attached", timeout=60_000)
        assert tab.evaluate("slides.length") >= 8, path.name
        assert tab.locator("section[data-cut]").count() == 0, path.name
        assert tab.locator("mjx-merror").count() == 0, path.name
        assert tab.evaluate("[...document.images].every(e => e.naturalWidth && e.alt)"), path.name
    tab.close()
    mine = {path.as_uri() for path in decks.values()}
    assert [url for url in wrong if not url.startswith("data:") and url not in mine] == []


@pytest.mark.book
def test_keys_turn_slides_and_show_the_notes(decks, browser):
    tab = browser.new_page()
    tab.goto(decks["transformer-attention"].as_uri())
    tab.wait_for_selector("body[data-ready]", state="attached", timeout=60_000)
    number = tab.locator("section.now footer span:last-child")
    for key, wanted in (("ArrowRight", "2 /"), (" ", "3 /"), ("ArrowLeft", "2 /"), ("Home", "1 /")):
        tab.keyboard.press(key)
        assert number.inner_text().startswith(wanted)
    assert tab.locator("#notes").is_hidden()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("n")
    assert "a reader looks back" in " ".join(tab.locator("#notes").inner_text().split())
    tab.close()


@pytest.mark.book
def test_all_figures_are_taken_as_svg(build, tmp_path):
    command = [sys.executable, str(ROOT / "book" / "figures.py"), "--out", str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    index = (tmp_path / "index.html").read_text("utf8")
    assert len(drawn) > 60 and all(f'src="{name}"' in index for name in drawn)
    others = [path.name for path in tmp_path.iterdir() if path.suffix not in (".svg", ".html")]
    assert not others
    assert 'alt=""' not in index
