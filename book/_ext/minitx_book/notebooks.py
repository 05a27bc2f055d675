"""Every page with code can be downloaded as a notebook, ready for Jupyter or Colab.

The first cell installs minitx from the address of the book, never by a bare name, which may be a
stranger's. Directives that Jupyter does not know are turned into plain Markdown.
"""

import re
from pathlib import Path
from textwrap import dedent, indent

from .assets import project_root, wheel_name

FENCE = re.compile(
    r"^(?P<tick>`{3,}|:{3,})\{(?P<name>[\w:.-]+)\}[ ]*(?P<title>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=tick)[ ]*$",
    re.M | re.S,
)
OPTION = re.compile(r"\A(?::[\w-]+:[^\n]*\n|[ \t]*\n)+")
FOLDED = {"dropdown", "toggle", "solution", "solution-start"}
DROPPED = {"card", "contents", "tableofcontents", "paper-index", "battery", "page-graph", "index"}


class PlainMarkdown:
    """Rewrites the Markdown of one page so that it reads well without Sphinx."""

    def __init__(self, root: Path, page: Path, book_url: str):
        self.root, self.page, self.book_url = root.resolve(), page.resolve(), book_url

    def convert(self, text: str) -> str:
        return self.links(self.roles(FENCE.sub(self.directive, text))).strip()

    def directive(self, match) -> str:
        name, title = match["name"], match["title"].strip()
        body = FENCE.sub(self.directive, OPTION.sub("", match["body"])).strip()
        if name in DROPPED:
            return ""
        if name == "math":
            return f"$$\n{body}\n$$"
        if name in ("literalinclude", "code-block", "code", "prf:algorithm"):
            return self.source(title, match["body"]) if name == "literalinclude" else fenced(body)
        if name in ("figure", "image"):
            return f"![{body}]({self.address(title)})"
        head = title or name.partition(":")[2].capitalize() or name.capitalize()
        if name in FOLDED:
            return f"<details><summary>{head}</summary>\n\n{body}\n\n</details>"
        return indent(f"**{head}**\n\n{body}", "> ", lambda line: True)

    def source(self, path: str, options: str) -> str:
        """The included source: a whole file, or one object of it."""
        text = (self.page.parent / path).resolve().read_text("utf8")
        wanted = re.search(r":pyobject:\s*(\S+)", options)
        if wanted:
            from sphinx.pycode import ModuleAnalyzer

            _, first, last = ModuleAnalyzer.for_string(text, path).find_tags()[wanted[1]]
            text = dedent("\n".join(text.splitlines()[first - 1 : last]))
        return fenced(text)

    def roles(self, text: str) -> str:
        text = re.sub(r"\{eq\}`([^`]+)`", r"(\1)", text)
        text = re.sub(r"\{[\w:]+\}`([^`<]+?)\s*<[^`>]+>`", r"\1", text)
        text = re.sub(r"\{[\w:]+\}`([^`]+)`", r"\1", text)
        return re.sub(r"^\([\w-]+\)=\s*$", "", text, flags=re.M)

    def links(self, text: str) -> str:
        def replace(match):
            return f"]({self.address(match[1])}{match[2] or ''})"

        return re.sub(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)", replace, text)

    def address(self, target: str) -> str:
        """The address in the published book of a file named beside this page."""
        book = self.root / "book"
        base = book if target.startswith("/") else self.page.parent
        path = (base / target.lstrip("/")).resolve()
        if not path.is_relative_to(book):
            return target
        return f"{self.book_url}/{path.relative_to(book).as_posix().removesuffix('.md')}" + (
            ".html" if path.suffix == ".md" else ""
        )


def fenced(text: str) -> str:
    return f"```python\n{text.strip()}\n```"


def make_notebook(root: Path, page: Path, book_url: str):
    """The page as a notebook without outputs, with a first cell that installs minitx."""
    import nbformat
    from myst_nb.core.read import read_myst_markdown_notebook

    source = read_myst_markdown_notebook(page.read_text("utf8"), path=str(page))
    plain = PlainMarkdown(root, page, book_url)
    wheel = f"{book_url}/_static/wheels/{wheel_name(root)}"
    install = f'%pip install --quiet "minitx[plot,train,data] @ {wheel}"'
    cells = [nbformat.v4.new_code_cell(install)]
    for cell in source.cells:
        if cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(cell.source))
        elif text := plain.convert(cell.source):
            cells.append(nbformat.v4.new_markdown_cell(text))
    for i, cell in enumerate(cells):  # the same page gives the same file
        cell["id"] = f"cell-{i}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def offer_notebook(app, pagename, templatename, context, doctree) -> None:
    """Write the notebook beside the page's source; the theme then shows it as a download."""
    import nbformat

    if doctree is None or "kernelspec" not in app.env.metadata.get(pagename, {}):
        return
    page = Path(app.env.doc2path(pagename))
    notebook = make_notebook(project_root(app), page, app.config.book_url)
    target = Path(app.outdir) / "_sources" / f"{pagename}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    context["ipynb_source"] = f"{pagename}.ipynb"


def setup(app) -> None:
    app.connect("html-page-context", offer_notebook, priority=100)
