"""The book's own Sphinx extension, on a small book with a small package of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.book
ROOT = Path(__file__).parents[2]

HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---
"""
CARD = """
```{card}
:needs: one
:papers: first2030
- derive the first thing
- build the second
- see the third
```
"""
PAGES = {
    "index": "# Welcome\n\nText.\n",
    "one": HEAD
    + "# Page one\n\n```{code-cell} python\nfrom minitx.example import value\nvalue\n```\n",
    "two": HEAD
    + "# Page two\n"
    + CARD
    + "\n```{code-cell} python\n1 + 1\n```\n\n## A part\n\nText.\n",
    "papers": "# Papers\n\n```{paper-index}\n```\n",
    "battery": "# Battery\n\n```{battery}\n```\n",
    "graph": "# Graph\n\n```{page-graph}\n```\n",
    "bibliography": "# Bibliography\n\n```{bibliography}\n:all:\n```\n",
}
CATALOGUE = """
[[paper]]
key = "first2030"
title = "A first paper: $5 * 2_a"
authors = ["Ada First", "Bo Second"]
year = 2030
arxiv = "3001.00001"
kind = "theory"
contract = "token_mixer"
claim = "Both are equal, and it learns"
code = "minitx.example:Rotary"
page = "two#a-part"
[[paper.part]]
number = 1
text = "Both are equal"
kind = "exact"
comparator = "<="
threshold = 1e-6
unit = "largest difference"
[[paper.part]]
number = 2
text = "It learns"
kind = "trained"
comparator = ">="
threshold = 0.9
unit = "accuracy"
seeds = [0, 1, 2]
failure = { reason = "It stays on a plateau.", seeds = [1] }
"""
RESULTS = """{"first2030": {"2": {"measures": [{"name": "value", "value": 0.71}], "passed": false,
"seeds": [0, 1, 2], "seconds": 41.2}}}"""
BATTERY = """[{"contract": "token_mixer", "variant": "Rotary", "check": "causal", "result": "pass"},
{"contract": "token_mixer", "variant": "Rotary", "check": "recurrent", "result": "none"}]"""


class SmallBook:
    """A project with the book's machine and with pages of a few lines."""

    def __init__(self, root: Path):
        self.root, self.html = root, root / "_build" / "html"
        for name in ("_config.yml", "pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
            shutil.copyfile(ROOT / name, root / name)
        for name in ("_ext", "_static", "build.py", "references.bib"):
            source, target = ROOT / "book" / name, root / "book" / name
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            target.parent.mkdir(exist_ok=True)
            copy(source, target)
        chapters = "".join(f"  - file: {name}\n" for name in PAGES if name != "index")
        self.write("book/_toc.yml", f"format: jb-book\nroot: index\nchapters:\n{chapters}")
        for name, text in PAGES.items():
            self.write(f"book/{name}.md", text)
        shutil.copytree(ROOT / "minitx", root / "minitx", ignore=shutil.ignore_patterns("*.toml"))
        self.write("minitx/example.py", "value = 'old value'\n\n\nclass Rotary:\n    pass\n")
        self.write("minitx/experiments/chapter/first2030.py", "")
        self.write("minitx/catalogue/chapter.toml", CATALOGUE)
        self.write("minitx/catalogue/results.json", RESULTS)
        self.write("book/_data/battery.json", BATTERY)

    def write(self, name: str, text: str):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf8")

    def build(self) -> str:
        """Build; return what was printed if it failed, and nothing if it did not."""
        run = subprocess.run(
            [sys.executable, "book/build.py"],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
        )
        return run.stdout + run.stderr if run.returncode else ""

    def page(self, name: str) -> str:
        """The text of a page's article, without tags."""
        html = (self.html / f"{name}.html").read_text("utf8")
        article = html[html.index("<article") : html.index("</article>")]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", article))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    book = SmallBook(tmp_path_factory.mktemp("small"))
    assert book.build() == ""
    return book


def test_the_card_shows_goals_needs_times_and_papers(small):
    text = small.page("two")
    assert "derive the first thing" in text
    assert re.search(r"Needs Page one", text)
    assert re.search(r"about \d+ minutes? to read; \d+ s to run", text)
    assert re.search(r"Papers.*First and Second \[ ?2030", text)


def test_the_paper_index_links_code_and_page_and_shows_what_was_measured(small):
    html = (small.html / "papers.html").read_text("utf8")
    assert 'href="https://github.com/minitx/minitx/blob/main/minitx/example.py#L4"' in html
    assert 'href="two.html#a-part"' in html
    text = small.page("papers")
    assert "A first paper: $5 * 2_a" in text
    assert "1 Both are equal ≤ 1e-06 largest difference held by the tests" in text
    assert "2 It learns ≥ 0.9 accuracy 0.71 (3 seeds, 41 s), not reproduced" in text
    failures = text[text.index("What did not reproduce") :]
    assert "A first paper: $5 * 2_a (2030), part 2, with the seeds 1: It stays on a" in failures


def test_the_table_of_checks_has_variants_down_and_checks_across(small):
    assert re.search(r"variant causal recurrent Rotary ✓ ·", small.page("battery"))


def test_the_graph_is_drawn_with_a_text_beside_it(small):
    html = (small.html / "graph.html").read_text("utf8")
    assert re.search(r'<svg[^>]*aria-label="2 pages and 1 arrows', html)
    assert "Page two needs Page one" in small.page("graph").replace("  ", " ")


def test_the_notebook_installs_the_wheel_of_the_book(small):
    notebook = (small.html / "_sources" / "two.ipynb").read_text("utf8")
    wheel = re.search(r"@ https://minitx.github.io/minitx/(_static/wheels/\S+?\.whl)", notebook)
    assert (small.html / wheel[1]).is_file()
    assert "{card}" not in notebook


def test_no_page_shows_an_old_output_after_a_change_of_the_package(small):
    assert "old value" in small.page("one")
    example = small.root / "minitx" / "example.py"
    example.write_text(example.read_text("utf8").replace("old", "new"), encoding="utf8")
    assert small.build() == ""
    assert "new value" in small.page("one")
    assert "old value" not in small.page("one")


GOALS = "- derive the first thing\n- build the second\n- see the third\n"
MISTAKES = {
    "a cell that raises": ("two.md", "1 + 1", "1 / 0", "ZeroDivisionError"),
    "a cell that writes to stderr": (
        "two.md",
        "1 + 1",
        "import sys; print('oh', file=sys.stderr)",
        "stderr was found",
    ),
    "two goals": ("two.md", GOALS, GOALS[: GOALS.index("- see")], "expected a list of three goals"),
    "a page that is not there": ("two.md", ":needs: one", ":needs: none", "unknown document"),
    "a paper that is not there": ("two.md", "first2030", "second2030", "second2030"),
    "a link to nothing": ("one.md", "# Page one\n", "# Page one\n\n[x](two.md#none)\n", "none"),
    "code that is not there": ("chapter.toml", "example:Rotary", "example:Gone", "no code"),
    "a page of the catalogue that is not there": ("chapter.toml", "two#", "gone#", "no page"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails_the_build_and_goes_on_failing(small, mistake):
    file, old, new, message = MISTAKES[mistake]
    path = small.root / ("minitx/catalogue" if file.endswith("toml") else "book") / file
    right = path.read_text("utf8")
    assert right.count(old) >= 1
    path.write_text(right.replace(old, new), encoding="utf8")
    try:
        assert message in small.build()
        assert message in small.build(), "the second build has to repeat it"
    finally:
        path.write_text(right, encoding="utf8")


RICH = """(label)=
## Title

See {doc}`other <one>`, {eq}`score`, {term}`slot`, [there](../two.md#a-part) and [out](https://x.org/a).

```{math}
:label: score
a = b
```

````{exercise} Shift
:label: shift
Do it.

```{dropdown} Hint
:open:
Try zero.
```
````

```{literalinclude} ../../minitx/example.py
:pyobject: Rotary
```
"""
PLAIN = """## Title

See other, (score), slot, [there](https://book/two.html#a-part) and [out](https://x.org/a).

$$
a = b
$$

> **Shift**
>
> Do it.
>
> <details><summary>Hint</summary>
>
> Try zero.
>
> </details>

```python
class Rotary:
    pass
```"""


def test_markdown_of_a_downloaded_notebook_needs_no_sphinx(small, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from minitx_book.notebooks import PlainMarkdown

    page = small.root / "book" / "part" / "rich.md"
    plain = PlainMarkdown(small.root, page, "https://book").convert(RICH)
    assert re.sub(r" +$", "", plain, flags=re.M) == PLAIN
