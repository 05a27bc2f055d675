"""The built book, in a browser: what a reader must never meet."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

pytestmark = pytest.mark.book
BOOK = Path(__file__).parents[2] / "book"
MEGABYTE = 1 << 20


def test_an_unchanged_book_is_rebuilt_within_15_seconds(build):
    again, seconds = build
    assert again.returncode == 0, again.stdout + again.stderr
    assert seconds < 15


def test_the_site_is_under_30_megabytes(html):
    size = sum(path.stat().st_size for path in html.rglob("*") if path.is_file())
    assert size < 30 * MEGABYTE


def test_a_page_loads_without_errors_or_outside_requests(visit, page_name):
    visit.page.add_init_script("localStorage.clear()")  # as on a first visit
    page = visit.open(page_name, until="networkidle")
    assert page.title()
    assert visit.errors == []
    assert visit.outside == []


def test_equations_are_drawn(visit, page_name):
    page = visit.open(page_name)
    formulas = page.locator(".math.notranslate").count()
    page.wait_for_function(
        "n => document.querySelectorAll('mjx-container').length >= n", arg=formulas, timeout=20_000
    )
    assert page.locator("mjx-merror").count() == 0


TOO_WIDE = """() => {
    const scrolls = 'svg, pre, mjx-container, .pst-scrollable-table-container, .page-graph';
    return [...document.querySelectorAll('.bd-article *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(scrolls))
        .map(e => e.outerHTML.slice(0, 99));
}"""


def test_nothing_scrolls_sideways_on_a_phone(visit, page_name):
    page = visit.open(page_name, width=390)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, page.evaluate(TOO_WIDE)
    assert page.evaluate(TOO_WIDE) == []


def test_images_have_alternative_text(visit, page_name):
    page = visit.open(page_name)
    bare = """[...document.querySelectorAll('.bd-article img')]
        .filter(e => !e.alt.trim() || /\\.(png|svg)$/.test(e.alt)).map(e => e.src)"""
    assert page.evaluate(bare) == []
    drawn = "[...document.querySelectorAll('.bd-article svg[role=img]')].every(e => e.ariaLabel)"
    assert page.evaluate(drawn)


def test_every_page_can_report_an_error(visit, page_name):
    page = visit.open(page_name)
    address = page.locator("a.btn-source-issues-button").first.get_attribute("href")
    assert address.startswith("https://github.com/minitx/minitx/issues/new?")
    assert page_name.replace("/", "%2F") in address


def words_of(page) -> list[str]:
    """Words of the page's text, the longest first; a long word is a rare one."""
    text = page.locator(".bd-article p, .bd-article h1").all_inner_texts()
    words = set(re.findall(r"\b[a-z]{5,}\b", " ".join(text).lower()))
    return sorted(words, key=lambda word: (-len(word), word))


def test_search_finds_a_word_of_every_page(visit, page_name):
    word = words_of(visit.open(page_name))[0]
    visit.page.goto(f"{visit.site}/search.html?q={word}")
    found = visit.page.locator("ul.search li a")
    found.first.wait_for(timeout=20_000)
    visit.page.wait_for_function(
        "document.querySelector('.search-summary')?.textContent.match(/\\d/)"
    )
    addresses = [link.get_attribute("href") for link in found.all()]
    assert any(f"{page_name}.html" in address for address in addresses), (word, addresses)


class Links(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        self.targets += filter(None, (attributes.get("href"), attributes.get("src")))


@pytest.fixture(scope="session")
def links(html):
    found = html.rglob("*.html")
    return {
        path.relative_to(html).as_posix(): Links(path.read_text("utf8"))
        for path in found
        if "_static" not in path.parts
    }


def test_links_inside_the_site_resolve(html, links):
    broken = []
    for page, parsed in links.items():
        for target in parsed.targets:
            address = urlsplit(urljoin(f"http://book/{page}", target))
            if address.netloc != "book" or address.scheme != "http":
                continue
            path = unquote(address.path).lstrip("/") or "index.html"
            anchors = links[path].anchors | {""} if path in links else {unquote(address.fragment)}
            if not (html / path).is_file() or unquote(address.fragment) not in anchors:
                broken.append((page, target))
    assert broken == []


def test_pages_are_readable_without_javascript(html, page_names):
    for name in page_names:
        text = (html / f"{name}.html").read_text("utf8")
        assert "run-bar" not in text, f"{name}: the Run button has to be added by the script"
        assert "<h1>" in text


def test_pages_with_code_are_notebooks_that_install_minitx_from_the_book(html, page_names):
    sources = html / "_sources"
    notebooks = {
        p.relative_to(sources).with_suffix("").as_posix(): p for p in sources.rglob("*.ipynb")
    }
    with_code = [n for n in page_names if "kernelspec" in (BOOK / f"{n}.md").read_text("utf8")]
    assert sorted(notebooks) == sorted(with_code)
    for path in notebooks.values():
        cells = json.loads(path.read_text("utf8"))["cells"]
        install = "".join(cells[0]["source"])
        wheel = re.search(r"@ https://minitx\.github\.io/minitx/(\S+\.whl)\"$", install)
        assert install.startswith("%pip install"), install
        assert wheel, install
        assert (html / wheel[1]).is_file()
        text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert not re.search(r"^(```|:::)\{", text, re.M), f"{path}: a directive was left"
        assert not re.search(r"\{[a-z:]+\}`", text), f"{path}: a role was left"
