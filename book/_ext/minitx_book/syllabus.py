"""`{week}`, `{weeks}`, `{spare-pages}`: what a course reads, and how long that takes.

    ```{week}
    :pages: transformer/attention
    :exercises: attention/by_hand attention/attention
    ```

says what a week reads and does, with minutes: those of the cards for reading, those of the checks
for exercises. Without `exercises` it is all of those of its pages. `{weeks}` is the table of the
weeks in the section around it, `{spare-pages}` the pages with a card that none of these weeks has.
"""

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .card import cards
from .graph import linked, toc_order

LOG = logging.getLogger(__name__)


class week(nodes.General, nodes.Element):
    """Stands in the page until all pages have been read."""


class weeks(nodes.General, nodes.Element):
    """Stands for the table of all weeks in its section."""


class spare_pages(nodes.General, nodes.Element):
    """Stands for the list of pages that no week in its section has."""


class Week(SphinxDirective):
    option_spec: ClassVar = {
        "pages": directives.unchanged_required,
        "exercises": directives.unchanged,
    }

    def run(self):
        pages = self.options["pages"].split()
        try:
            names = [it.name for it in chosen(pages, self.options.get("exercises"))]
        except KeyError as error:
            LOG.warning(error.args[0], location=self.get_location())
            names = []
        note_weeks(self.env)
        return [week("", pages=pages, exercises=names)]


class Weeks(SphinxDirective):
    kind = weeks

    def run(self):
        note_weeks(self.env)
        return [self.kind()]


class SparePages(Weeks):
    kind = spare_pages


def note_weeks(env) -> None:
    """Remember that this page has minutes of other pages in it."""
    env.minitx_syllabus = {*getattr(env, "minitx_syllabus", ()), env.docname}


def chosen(pages: list[str], names: str | None) -> list:
    """The exercises of these names, or all of these pages."""
    from minitx.checks import CHAPTERS, find

    if names is None:
        names = " ".join(page.rpartition("/")[2] for page in pages)
        return [it for name in names.split() if name in CHAPTERS for it in find(name)]
    return [exercise for name in names.split() for exercise in find(name)]


def minutes(env, it: week) -> tuple[int, int]:
    """Minutes to read and to work."""
    reading = sum(env.minitx_reading.get(page, 0) for page in it["pages"])
    return reading, sum(exercise.minutes for exercise in exercises(it))


def exercises(it: week) -> list:
    return chosen([], " ".join(it["exercises"]))


def fill(app, doctree, docname) -> None:
    for holder in list(doctree.findall(weeks)):
        holder.replace_self(table(app, docname, weeks_around(holder)))
    for holder in list(doctree.findall(spare_pages)):
        used = {page for it in weeks_around(holder) for page in it["pages"]}
        holder.replace_self(spare(app, docname, used))
    for holder in list(doctree.findall(week)):
        holder.replace_self(described(app, docname, holder))


def weeks_around(holder: nodes.Node) -> list[week]:
    """The weeks of the nearest section that has any."""
    found, section = [], holder
    while section is not None and not found:
        section = section.parent
        found = list(section.findall(week)) if section is not None else []
    return found


def table(app, docname: str, found: list[week]) -> nodes.table:
    """A row for each week: its title, its pages, minutes to read, to work, and both."""
    rows, total = [], [0, 0]
    for it in found:
        reading, work = minutes(app.env, it)
        total = [total[0] + reading, total[1] + work]
        title = it.parent.next_node(nodes.title).astext()
        rows.append([nodes.Text(title), links(app, docname, it), *numbers(reading, work)])
    rows.append([nodes.strong(text="together"), nodes.Text(""), *numbers(*total)])
    return table_of(["week", "pages", "read (min)", "work (min)", "both (min)"], rows)


def numbers(reading: int, work: int) -> list[nodes.Text]:
    return [nodes.Text(str(number)) for number in (reading, work, reading + work)]


def table_of(head: list[str], rows: list[list]) -> nodes.table:
    group = nodes.tgroup("", cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", row([nodes.Text(text) for text in head]))
    group += nodes.tbody("", *[row(cells) for cells in rows])
    return nodes.table("", group)


def row(cells: list) -> nodes.row:
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells])


def links(app, docname: str, it: week) -> nodes.inline:
    """Links to the pages of a week; a page that is not in the book is a warning."""
    inline = nodes.inline()
    for i, page in enumerate(it["pages"]):
        if page not in app.env.titles:
            LOG.warning("the week expected a page of the book, got %s", page, location=docname)
            continue
        inline += ([nodes.Text(", ")] if i else []) + [linked(app, docname, page)]
    return inline


def described(app, docname: str, it: week) -> nodes.container:
    """What to read and what to do, with minutes."""
    reading, work = minutes(app.env, it)
    box = nodes.container("", classes=["week", "page-card"])
    box += line("Read", links(app, docname, it), nodes.Text(f": {reading} minutes"))
    if it["exercises"]:
        tasks = nodes.bullet_list()
        for exercise in exercises(it):
            words = f"{exercise.title} ({exercise.kind}, {exercise.minutes} minutes)"
            name = nodes.literal(text=exercise.name)
            tasks += nodes.list_item("", nodes.paragraph("", "", nodes.Text(words + ": "), name))
        box += nodes.container("", heading("Do"), tasks, classes=["page-card-row"])
    box += line("Minutes", nodes.Text(f"{reading} to read, {work} to work: {reading + work}"))
    return box


def line(title: str, *parts: nodes.Node) -> nodes.container:
    return nodes.container(
        "", heading(title), nodes.paragraph("", "", *parts), classes=["page-card-row"]
    )


def heading(title: str) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.strong(text=title))


def spare(app, docname: str, used: set[str]) -> nodes.Node:
    """The other pages, with what they take."""
    pages = [page for page in toc_order(app.env, app.env.config.root_doc) if page in cards(app.env)]
    items = nodes.bullet_list()
    for page in (page for page in pages if page not in used):
        it = week("", pages=[page], exercises=[it.name for it in chosen([page], None)])
        reading, work = minutes(app.env, it)
        words = f": {reading} minutes to read, {work} to work"
        link = linked(app, docname, page)
        items += nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(words)))
    return items if len(items) else nodes.paragraph(text="Every page is in a week.")


def rewrite(app, env) -> list[str]:
    """Minutes of any page may have changed: write the pages with weeks again."""
    return [name for name in getattr(env, "minitx_syllabus", ()) if name in env.found_docs]


def setup(app) -> None:
    for kind, directive in ((week, Week), (weeks, Weeks), (spare_pages, SparePages)):
        app.add_node(kind)
        app.add_directive(kind.__name__.replace("_", "-"), directive)
    app.connect("env-updated", rewrite)
    app.connect("doctree-resolved", fill)
