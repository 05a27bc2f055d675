"""A deck for each page of the book: `make slides`, or `python book/slides.py [PAGE ...]`.

Each is one HTML file in `_build/slides` that needs no other file and no network: figures as SVG,
formulas by the MathJax of the book, set when the deck is opened. `deck` says what is on the slides.
"""

import importlib.metadata
from html import escape
from pathlib import Path

import deck
import figures

# Not in _static, all of which every page of the site would load.
LOOK = Path(__file__).resolve().parent / "_slides"
PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="tex2jax_ignore">
<main>
{slides}
</main>
<aside id="notes" aria-label="Speaker notes" hidden></aside>
<script>{script}</script>
<script>{mathjax}</script>
</body>
</html>
"""
SLIDE = """<section class="{kind}" aria-label="Slide {number}">
<header><p>{section}</p><{rank}>{title}</{rank}></header>
<div class="body">{shown}</div>
<footer><span>{page}</span><span>{number} / {count}</span></footer>
<div class="notes">{notes}</div>
</section>"""


def mathjax() -> str:
    """The one script that turns TeX into SVG, with all that it may ever ask for."""
    for file in importlib.metadata.files("sphinx-mathjax-offline") or ():
        if file.as_posix().endswith("static/mathjax/tex-svg-full.js"):
            return closed(file.locate().read_text("utf8"))
    raise FileNotFoundError("sphinx-mathjax-offline has no tex-svg-full.js")


def closed(script: str) -> str:
    """A script as it may stand within HTML."""
    return script.replace("</script", "<\\/script")


def render(page: str, html: str, gallery: figures.Gallery) -> tuple[str, int]:
    """The deck of a page, and how many slides it has."""
    slides = deck.deck(html)
    parts = []
    for number, slide in enumerate(slides, start=1):
        for block in slide.shown:
            embed(page, block, gallery)
        shown = "".join(map(str, slide.shown))
        if rows := {"leads": "ul", "exercises": "ol"}.get(slide.kind):
            shown = f"<{rows}>{shown}</{rows}>"
        parts.append(
            SLIDE.format(
                kind=slide.kind,
                rank="h1" if number == 1 else "h2",
                section=slide.section,
                title=slide.title,
                shown=shown,
                page=escape(slides[0].title),
                number=number,
                count=len(slides),
                notes="".join(map(str, slide.notes)),
            )
        )
    return "\n".join(parts), len(slides)


def embed(page: str, block, gallery: figures.Gallery) -> None:
    """Put the images of a block into it."""
    for image in block.find_all("img") if hasattr(block, "find_all") else ():
        image["src"] = gallery.picture(page, image).address()


def main() -> None:
    chosen = figures.options(__doc__, "slides")
    gallery = figures.Gallery(chosen.built)
    colours = (gallery.html / "_static" / "pygments.css").read_text("utf8")
    style = colours + (LOOK / "slides.css").read_text("utf8")
    chosen.out.mkdir(parents=True, exist_ok=True)
    script = (LOOK / "slides.js").read_text("utf8")
    for page in chosen.pages or gallery.pages():
        html = gallery.page(page)
        slides, count = render(page, html, gallery)
        path = chosen.out / f"{page.replace('/', '-')}.html"
        title = page.rpartition("/")[2].replace("_", " ").capitalize()
        text = PAGE.format(
            title=title, style=style, slides=slides, script=closed(script), mathjax=mathjax()
        )
        path.write_text(text, encoding="utf8")
        print(f"{count:3} slides, {len(text) / 2**20:.1f} MiB  {path.as_uri()}")


if __name__ == "__main__":
    main()
