"""`{page-graph}`: which page needs which, drawn from the cards.

A row for each part of the book, pages in the order of the contents, an arrow from a page to each
page that needs it. It is one SVG in the page, with links; the same as a list stands beneath it.
"""

from html import escape

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .card import cards

BOX, STEP, ROW, MARGIN = (116, 34), 132, 96, 12


class page_graph(nodes.General, nodes.Element):
    """Stands in the page until all cards have been read."""


class PageGraph(SphinxDirective):
    def run(self):
        return [page_graph()]


def rows_of(env) -> list[list[str]]:
    """Pages that need or are needed, a list for each part, in the order of the contents."""
    known, rows = set(cards(env)).union(*cards(env).values()), {}
    for page in toc_order(env, env.config.root_doc):
        if page in known:
            rows.setdefault(page.partition("/")[0], []).append(page)
    return list(rows.values())


def toc_order(env, page: str, seen: set | None = None) -> list[str]:
    seen = set() if seen is None else seen
    if page in seen:
        return []
    seen.add(page)
    children = env.toctree_includes.get(page, [])
    return [page] + [name for child in children for name in toc_order(env, child, seen)]


def draw(env, link) -> str:
    """The SVG; `link(page)` is the address of a page."""
    rows = rows_of(env)
    place = {page: (i, j) for j, row in enumerate(rows) for i, page in enumerate(row)}
    width = MARGIN * 2 + STEP * max(map(len, rows)) - (STEP - BOX[0])
    height = MARGIN * 2 + ROW * (len(rows) - 1) + BOX[1] + 20  # and room for an arc below
    edges = [(a, b) for b, needs in cards(env).items() for a in needs if a in place and b in place]
    title = f"{len(place)} pages and {len(edges)} arrows, each from a page to one that needs it"
    parts = [edge(place[a], place[b]) for a, b in edges]
    parts += [node(place[page], env.titles[page].astext(), link(page)) for page in place]
    return (
        f'<div class="page-graph"><svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{title}"><title>{title}</title><marker id="tip" viewBox="0 0 8 8" refX="7" '
        'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
        + "".join(parts)
        + "</svg></div>"
    )


def corner(place) -> tuple[int, int]:
    return MARGIN + STEP * place[0], MARGIN + ROW * place[1]


def node(place, title: str, address: str) -> str:
    x, y = corner(place)
    short = title if len(title) < 17 else title[:15] + "…"
    return (
        f'<a href="{escape(address)}"><rect x="{x}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" '
        f'rx="6"><title>{escape(title)}</title></rect><text x="{x + BOX[0] / 2}" '
        f'y="{y + 22}" text-anchor="middle">{escape(short)}</text></a>'
    )


def edge(start, end) -> str:
    """Beside, along a row, from one row to the next, or down the gap between two columns."""
    (x0, y0), (x1, y1) = corner(start), corner(end)
    (width, height), rows = BOX, end[1] - start[1]
    if rows == 0 and end[0] - start[0] == 1:
        path = f"M{x0 + width} {y0 + 17} L{x1} {y1 + 17}"
    elif rows == 0:
        x0, x1, y = x0 + width * 0.7, x1 + width * 0.3, y0 + height
        path = f"M{x0} {y} C{x0} {y + 26} {x1} {y + 26} {x1} {y}"
    elif rows == 1:
        x0, x1, y0 = x0 + width / 2, x1 + width / 2, y0 + height
        path = f"M{x0} {y0} C{x0} {(y0 + y1) / 2} {x1} {(y0 + y1) / 2} {x1} {y1}"
    else:
        gap, x1 = x0 + width + 8, x1 + width * 0.6
        y0, y1 = (y0 + height, y1) if rows > 0 else (y0, y1 + height)
        turn = 30 if rows > 0 else -30
        path = f"M{x0 + width * 0.8} {y0} Q{gap} {y0} {gap} {y0 + turn} "
        path += f"L{gap} {y1 - 2 * turn} C{gap} {y1 - turn} {x1} {y1 - turn} {x1} {y1}"
    return f'<path d="{path}" marker-end="url(#tip)"/>'


def listed(app, docname: str) -> nodes.bullet_list:
    entries = nodes.bullet_list()
    for page in (page for row in rows_of(app.env) for page in row):
        needs = [
            linked(app, docname, name)
            for name in cards(app.env).get(page, [])
            if name in app.env.titles
        ]
        line = nodes.paragraph("", "", linked(app, docname, page))
        line += nodes.Text(" needs " if needs else " needs nothing before it")
        for i, need in enumerate(needs):
            line += ([nodes.Text(", ")] if i else []) + [need]
        entries += nodes.list_item("", line)
    return entries


def linked(app, docname: str, page: str) -> nodes.reference:
    address = app.builder.get_relative_uri(docname, page)
    title = app.env.titles[page].astext()
    return nodes.reference("", title, refuri=address, internal=True)


def fill(app, doctree, docname) -> None:
    for holder in list(doctree.findall(page_graph)):
        if rows_of(app.env):
            svg = draw(app.env, lambda page: app.builder.get_relative_uri(docname, page))
            holder.replace_self([nodes.raw("", svg, format="html"), listed(app, docname)])
        else:
            holder.replace_self(nodes.paragraph(text="No page has a card yet."))


def redraw(app, env) -> list[str]:
    """Any card may have changed: write the page with the graph again."""
    return [name for name in env.found_docs if name.endswith("graph")]


def setup(app) -> None:
    app.add_node(page_graph)
    app.add_directive("page-graph", PageGraph)
    app.connect("env-updated", redraw)
    app.connect("doctree-resolved", fill)
