"""`{card}`: what stands on top of a page.

    ```{card}
    :needs: foundations/arrays foundations/autograd
    :papers: vaswani2017
    - derive scaled dot-product attention
    - build it, masked and in several heads
    - catch the three usual mistakes
    ```

Three goals, each beginning with a verb; the pages that it needs; the papers, by their keys in the
catalogue. Reading time is computed from the words, run time is what the last execution took.
"""

import re
from typing import ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOG = logging.getLogger(__name__)
WORDS_PER_MINUTE = 180
SECONDS_PER_CODE_LINE = 4


class times(nodes.paragraph):
    """Stands in the card until the whole page has been read and run."""


class Card(SphinxDirective):
    has_content = True
    option_spec: ClassVar = {"needs": str, "papers": str}

    def run(self):
        body = self.parse("\n".join(self.content))
        goals = next((node for node in body if isinstance(node, nodes.bullet_list)), ())
        if len(goals) != 3:
            message = "the card expected a list of three goals, got %d"
            LOG.warning(message, len(goals), location=self.get_location())
        needs = (self.options.get("needs") or "").split()
        cards(self.env)[self.env.docname] = needs
        card = nodes.container("", classes=["page-card"])
        card += self.row("You will be able to", *body)
        if needs:
            card += self.row("Needs", joined([page_link(self.env, name) for name in needs]))
        card += self.row("Time", times())
        if keys := (self.options.get("papers") or "").split():
            card += self.row("Papers", *self.parse("{cite:t}`" + ",".join(keys) + "`"))
        return [card]

    def parse(self, text: str) -> list[nodes.Node]:
        holder = nodes.container()
        self.state.nested_parse(text.splitlines(), self.content_offset, holder)
        return list(holder.children)

    def row(self, title: str, *children: nodes.Node) -> nodes.container:
        head = nodes.paragraph("", "", nodes.strong(text=title))
        return nodes.container("", head, *children, classes=["page-card-row"])


def page_link(env, docname: str) -> addnodes.pending_xref:
    """A link to a page, with its title as text; a page that is not there is a warning."""
    link = addnodes.pending_xref(
        "", refdoc=env.docname, refdomain="std", reftype="doc", reftarget=f"/{docname}"
    )
    link.attributes.update(refexplicit=False, refwarn=True)
    link += nodes.inline(text=docname, classes=["xref", "std", "std-doc"])
    return link


def joined(links: list[nodes.Node]) -> nodes.paragraph:
    paragraph = nodes.paragraph()
    for i, link in enumerate(links):
        paragraph += ([nodes.Text(", ")] if i else []) + [link]
    return paragraph


def cards(env) -> dict[str, list[str]]:
    """{page: the pages that it needs}, for all pages that have a card."""
    if not hasattr(env, "minitx_cards"):
        env.minitx_cards, env.minitx_reading = {}, {}
    return env.minitx_cards


def measure_reading(app, doctree) -> None:
    cards(app.env)
    prose, code = 0, 0
    for node in doctree.findall(nodes.Text):
        if isinstance(node.parent, nodes.literal_block):
            code += node.astext().count("\n") + 1
        elif not isinstance(node.parent, nodes.comment | nodes.raw):
            prose += len(re.findall(r"\w+", node.astext()))
    minutes = prose / WORDS_PER_MINUTE + code * SECONDS_PER_CODE_LINE / 60
    app.env.minitx_reading[app.env.docname] = max(1, round(minutes))


def fill_times(app, doctree, docname) -> None:
    from myst_nb.sphinx_ import NbMetadataCollector

    for node in doctree.findall(times):
        minutes = app.env.minitx_reading[docname]
        text = f"about {minutes} minute{'s' * (minutes > 1)} to read"
        execution = NbMetadataCollector.get_exec_data(app.env, docname)
        if execution and execution["runtime"] is not None:
            text += f"; {execution['runtime']:.0f} s to run, measured when this book was built"
        node.replace_self(nodes.paragraph(text=text))


def forget(app, env, docname) -> None:
    cards(env).pop(docname, None)


def setup(app) -> None:
    # sphinx-design has a `card` too; this book's is the one that pages mean.
    app.add_directive("card", Card, override=True)
    app.add_node(times)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", measure_reading)
    app.connect("doctree-resolved", fill_times)
