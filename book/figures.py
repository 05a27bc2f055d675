"""Every figure of the book as a file: `make figures`, or `python book/figures.py [PAGE ...]`.

They lie in `_build/figures`, named after their page and their number in it, with an index that has
their captions and the text for those who cannot see them. A figure that no cell kept as SVG comes
as the PNG that the page shows.
"""

import argparse
import base64
import hashlib
import json
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "book" / "_data" / "stored"
TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}
INDEX = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Figures</title>
<style>body{{font:1em sans-serif;max-width:60em;margin:auto}} img{{max-width:100%}}</style>
<h1>Figures of <em>Transformers you can run</em></h1>
<p>CC BY 4.0. Under each: its file, its caption, and the text to give with it to those who cannot
see it.</p>
{}
</html>
"""


@dataclass(frozen=True)
class Picture:
    """An image of a built page: its bytes, ".svg" or another suffix, and its words."""

    data: bytes
    suffix: str
    alt: str
    caption: str = ""

    def address(self) -> str:
        """The image itself as an address, for a page that needs no other file."""
        return f"data:{TYPES[self.suffix]};base64,{base64.b64encode(self.data).decode()}"


class Gallery:
    """The images of a built book; drawings are looked up in what the cells left behind."""

    def __init__(self, built: Path):
        self.html = built / "html"
        self.drawings = {}
        executed, stored = (built / "execution").rglob("*.ipynb"), STORED.rglob("*.json")
        for path in sorted([*executed, *stored]):
            self.drawings.update(drawings(json.loads(path.read_text("utf8"))))

    def pages(self) -> list[str]:
        """The pages that have a card, in the order of the table of contents."""
        from bs4 import BeautifulSoup

        index = BeautifulSoup((self.html / "index.html").read_text("utf8"), "html.parser")
        links = [link["href"].partition("#")[0] for link in index.select("nav a.internal")]
        known = [link.removesuffix(".html") for link in links if link.endswith(".html")]
        return [name for name in dict.fromkeys(known) if 'class="page-card ' in self.page(name)]

    def page(self, name: str) -> str:
        return (self.html / f"{name}.html").read_text("utf8")

    def picture(self, page: str, image) -> Picture:
        """What an <img> of a page shows, as SVG where there is one."""
        path = (self.html / page).parent / image["src"]
        caption = image.find_parent("figure")
        caption = caption.find(class_="caption-text") if caption else None
        words = image.get("alt", ""), caption.get_text() if caption else ""
        if path.stem in self.drawings:
            return Picture(self.drawings[path.stem].encode(), ".svg", *words)
        return Picture(path.read_bytes(), path.suffix, *words)


def drawings(notebook: dict) -> dict[str, str]:
    """{hash of the PNG: SVG} of a notebook's outputs that have both."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if {"image/png", "image/svg+xml"} <= set(data):
                name = hashlib.sha256(base64.b64decode(data["image/png"])).hexdigest()
                found[name] = "".join(data["image/svg+xml"])
    return found


def write(gallery: Gallery, pages: list[str], out: Path) -> list[Path]:
    """The figures of these pages and their index; returns the files of the figures."""
    from bs4 import BeautifulSoup

    out.mkdir(parents=True, exist_ok=True)
    files, entries = [], []
    for page in pages:
        article = BeautifulSoup(gallery.page(page), "html.parser").find("article")
        for number, image in enumerate(article.find_all("img"), start=1):
            picture = gallery.picture(page, image)
            path = out / f"{page.replace('/', '-')}-{number:02}{picture.suffix}"
            path.write_bytes(picture.data)
            files.append(path)
            entries.append(entry(path.name, picture))
    (out / "index.html").write_text(INDEX.format("\n".join(entries)), encoding="utf8")
    return files


def entry(name: str, picture: Picture) -> str:
    return (
        f'<figure id="{name}"><img src="{name}" alt="{escape(picture.alt)}"><figcaption>'
        f"<p><b>{name}</b> {escape(picture.caption)}</p><p>{escape(picture.alt)}</p>"
        "</figcaption></figure>"
    )


def options(about: str, folder: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="as in _toc.yml; all if none")
    parser.add_argument("--built", type=Path, default=ROOT / "_build", help="where the book is")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / folder)
    found = parser.parse_args()
    if not (found.built / "html" / "index.html").exists():
        raise SystemExit(f"there is no book in {found.built}; build it first: make book")
    return found


def main() -> None:
    chosen = options(__doc__, "figures")
    gallery = Gallery(chosen.built)
    files = write(gallery, chosen.pages or gallery.pages(), chosen.out)
    print(f"{len(files)} figures: {(chosen.out / 'index.html').as_uri()}")
    for path in files:
        if path.suffix != ".svg":
            print(f"{path.name} is no SVG: its cell kept a PNG alone", file=sys.stderr)


if __name__ == "__main__":
    main()
