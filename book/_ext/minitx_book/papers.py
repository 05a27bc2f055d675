"""`{paper-index}` and `{battery}`: two tables of the book that are read from data.

Both write Markdown and let the page's own parser read it, so that links to pages are checked like
those that people write.
"""

from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import catalogue
from .assets import build_folder, project_root

LOG = logging.getLogger(__name__)
SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "~": "≈"}
MARKS = {"pass": "✓", "fail": "✗", "none": "·"}


class MarkdownTable(SphinxDirective):
    """A directive whose content is Markdown that `lines` computes."""

    def run(self):
        root = project_root(self.env.app)
        for folder in (root / "minitx" / "catalogue", root / "book" / "_data"):
            for path in folder.glob("*.*"):
                self.env.note_dependency(str(path))
        return self.parse_text_to_nodes("\n".join(self.lines(root)), allow_section_headings=True)


class PaperIndex(MarkdownTable):
    def lines(self, root):
        rows, results = catalogue.read_papers(root), catalogue.read_results(root)
        self.root, self.pages = root, {name.split("/")[-1]: name for name in self.env.found_docs}
        if not rows:
            return ["There is no paper in the catalogue yet."]
        lines = []
        for chapter in dict.fromkeys(row["chapter"] for row in rows):
            lines += [f"## {chapter.replace('_', ' ').capitalize()}", ""]
            for row in (row for row in rows if row["chapter"] == chapter):
                lines += self.paper(row, results.get(row["key"], {}))
        return lines + self.failures(rows, results)

    def paper(self, row, results):
        title = row["title"]
        if row.get("arxiv"):
            title = f"[{title}](https://arxiv.org/abs/{row['arxiv']})"
        authors = ", ".join(catalogue.authors_of(row))
        facts = [f"contract: {row['contract'].replace('_', ' ')}"] if "contract" in row else []
        facts += [self.code(row)] if row.get("code") else []
        facts += [self.page(row)] if row.get("page") else []
        facts += [f"exercise: {row['exercise']}"] if row.get("exercise") else []
        lines = [f"(paper-{row['key']})=", f"**{title}**. {authors}, {row['year']}.", ""]
        lines += [f"`{row['key']}` · " + " · ".join(facts), ""]
        if row["part"]:
            lines += ["| part | claim | wanted | measured |", "|---|---|---|---|"]
            lines += [self.part(part, results.get(part["id"])) for part in row["part"]] + [""]
        return lines

    def code(self, row):
        repository = self.config.html_theme_options["repository_url"]
        link = catalogue.source_link(self.root, repository, row["code"])
        if link is None:
            LOG.warning("paper %s: no code %s", row["key"], row["code"], location=self.env.docname)
            return f"code: `{row['code']}`"
        return f"code: [`{row['code']}`]({link})"

    def page(self, row):
        name, _, anchor = row["page"].partition("#")
        if name not in self.pages:
            LOG.warning("paper %s: no page %s", row["key"], name, location=self.env.docname)
            return f"page: {name}"
        target = f"/{self.pages[name]}.md" + (f"#{anchor}" if anchor else "")
        return f"page: [{name}]({target})"

    def part(self, part, result):
        wanted = "exact"
        if "threshold" in part:
            sign = SIGNS.get(part.get("comparator", ""), part.get("comparator", ""))
            wanted = f"{sign} {part['threshold']} {part.get('unit', '')}"
        cells = [part["id"], part["text"], wanted, measured(part, result)]
        return "| " + " | ".join(str(cell).replace("|", "\\|").strip() for cell in cells) + " |"

    def failures(self, rows, results):
        failed = [
            f"- {row['title']} ({row['year']}), part {part}: measured {result['value']}. "
            f"{result.get('reason', '')}"
            for row in rows
            for part, result in results.get(row["key"], {}).items()
            if not result["passed"]
        ]
        nothing = ["None: every claim that has been measured so far was reproduced."]
        return ["## What did not reproduce", "", *(failed or nothing)]


def measured(part, result) -> str:
    if result is None:
        return "in the tests" if part.get("kind") == "exact" else "not yet"
    text = f"{result['value']}" + ("" if result["passed"] else " (not reproduced)")
    notes = [f"{result['seeds']} seeds"] if "seeds" in result else []
    notes += [f"{result['seconds']:.0f} s"] if "seconds" in result else []
    return text + (f"; {', '.join(notes)}" if notes else "")


class Battery(MarkdownTable):
    def lines(self, root):
        rows = catalogue.read_battery(root)
        if not rows:
            return ["No table has been measured yet."]
        lines = []
        for contract in dict.fromkeys(row["contract"] for row in rows):
            chosen = [row for row in rows if row["contract"] == contract]
            lines += [f"## {contract.replace('_', ' ').capitalize()}", "", *table(chosen), ""]
        return lines


def table(rows) -> list[str]:
    """Variants down, checks across."""
    checks = list(dict.fromkeys(row["check"] for row in rows))
    marks = {(row["variant"], row["check"]): MARKS[row["result"]] for row in rows}
    lines = ["| variant | " + " | ".join(checks) + " |", "|---" * (len(checks) + 1) + "|"]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = [marks.get((variant, check), MARKS["none"]) for check in checks]
        lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return lines


def write_bibliography(app, config) -> None:
    path = build_folder(app) / "assets" / "papers.bib"
    text = catalogue.bibtex(catalogue.read_papers(project_root(app)))
    if not path.exists() or path.read_text("utf8") != text:
        path.write_text(text, encoding="utf8")
    config.bibtex_bibfiles = [*config.bibtex_bibfiles, str(path)]


def setup(app) -> None:
    app.add_directive("paper-index", PaperIndex)
    app.add_directive("battery", Battery)
    app.connect("config-inited", write_bibliography, priority=150)
