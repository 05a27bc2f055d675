"""The weeks of the syllabus: minutes are those of the cards and of the exercises."""

import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")
bs4 = pytest.importorskip("bs4")
BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def syllabus():
    sys.path.insert(0, str(BOOK / "_ext"))
    try:
        from minitx_book import syllabus
    finally:
        sys.path.pop(0)
    return syllabus


def test_a_week_has_the_exercises_of_its_pages_or_those_it_names(syllabus):
    pages = ["papers", "transformer/block", "foundations/start"]
    names = [exercise.name for exercise in syllabus.chosen(pages, None)]
    assert names[:2] == ["block/by_hand", "block/layer_norm"] and names[-2:] == [
        "start/bits", "start/temperature",
    ]  # fmt: skip
    assert syllabus.chosen(pages, "") == []
    assert [it.name for it in syllabus.chosen([], "start/bits top_p")] == [
        "start/bits", "decoder/top_p",
    ]  # fmt: skip
    with pytest.raises(KeyError, match="start/bits"):
        syllabus.chosen([], "start/bit")


@pytest.fixture(scope="module")
def weeks(html) -> list:
    """The cards of the weeks, and behind each the table's row of the same title."""
    page = bs4.BeautifulSoup((html / "teach/syllabus.html").read_text("utf8"), "html.parser")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in page.select("tbody tr")]
    rows = {row[0].strip(): [int(cell) for cell in row[2:]] for row in rows}
    return [(card, rows[title_of(card)]) for card in page.select("div.week")]


def title_of(card) -> str:
    return card.find_parent("section").find(["h2", "h3"]).find(string=True).strip()


def card_minutes(html, page: str) -> int:
    return int(re.search(r"about (\d+) minutes? to read", (html / page).read_text("utf8"))[1])


@pytest.mark.book
def test_minutes_are_the_sums_of_the_cards_and_exercises(html, weeks):
    assert len(weeks) == 16  # twelve and four
    for card, (reading, work, both) in weeks:
        links = [link["href"] for link in card.select("a") if "papers" not in link["href"]]
        if links:
            assert reading == sum(card_minutes(html, f"teach/{link}") for link in links)
        tasks = [int(n) for n in re.findall(r"(\d+) minutes\)", card.get_text())]
        assert work == sum(tasks) and both == reading + work
        assert f"{reading} to read, {work} to work: {both}" in card.get_text()


@pytest.mark.book
def test_a_page_comes_after_those_that_it_needs(weeks):
    """In the twelve weeks; the four leave some out."""
    read = []
    for card, _ in weeks[:12]:
        for link in card.select("a"):
            page = link["href"].removeprefix("../").removesuffix(".html")
            text = (BOOK / f"{page}.md").read_text("utf8")
            needs = re.search(r"^:needs: (.*)$", text, re.M)
            assert set(needs[1].split() if needs else ()) <= set(read), page
            read.append(page)
