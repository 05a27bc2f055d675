"""`{paper-index}` and `{battery}`: two tables of the book that are read from data.

Both write Markdown and let the page's own parser read it, so that links to pages are checked like
those that people write.
"""

from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import catalogue
from .assets import build_folder, project_root
from .catalogue import plain

LOG = logging.getLogger(__name__)
SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "~": "≈"}
MARKS = {"pass": "✓", "fail": "✗", "none": "·"}


class MarkdownTable(SphinxDirective):
    """A directive whose content is Markdown that `lines` computes."""

    def run(self):
        text = "\n".join(self.lines(project_root(self.env.app)))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class PaperIndex(MarkdownTable):
    def lines(self, root):
        papers, results = catalogue.read_papers(root), catalogue.read_results(root)
        self.root, self.pages = root, {name.split("/")[-1]: name for name in self.env.found_docs}
        if not papers:
            return ["There is no paper in the catalogue yet."]
        lines = []
        for chapter in dict.fromkeys(paper.chapter for paper in papers):
            lines += [f"## {title(chapter)}", ""]
            for paper in (paper for paper in papers if paper.chapter == chapter):
                lines += self.paper(paper, results.get(paper.key, {}))
        return lines + failures(papers)

    def paper(self, paper, results):
        name = plain(paper.title)
        if paper.arxiv:
            name = f"[{name}](https://arxiv.org/abs/{paper.arxiv})"
        facts = [f"`{paper.key}`", paper.kind, f"contract: {paper.contract.replace('_', ' ')}"]
        facts += [self.code(paper, code) for code in paper.code]
        facts += [self.page(paper)] if paper.page else []
        facts += [f"exercise: `{paper.exercise}`"] if paper.exercise else []
        return [
            f"(paper-{paper.key})=",
            f"**{name}**. {plain(', '.join(paper.authors))}, {paper.year}.",
            "",
            plain(paper.claim),
            "",
            " · ".join(facts),
            "",
            "| | part of the claim | wanted | measured |",
            "|---|---|---|---|",
            *(part_row(part, self.value(paper, part, results)) for part in paper.parts),
            "",
        ]

    def value(self, paper, part, results):
        """What is known of a part: an exact one is held by the tests as soon as it can be run."""
        if part.exact:
            experiment = self.root / "minitx" / "experiments" / paper.chapter / f"{paper.key}.py"
            return "held by the tests" if experiment.exists() else "not yet"
        return measured(results.get(str(part.number)))

    def code(self, paper, code):
        repository = self.config.html_theme_options["repository_url"]
        link = catalogue.source_link(self.root, repository, code)
        if link is None:
            LOG.warning("paper %s: no code %s", paper.key, code, location=self.env.docname)
        return f"code: [`{code}`]({link})"

    def page(self, paper):
        name, _, anchor = paper.page.partition("#")
        if name not in self.pages:
            LOG.warning("paper %s: no page %s", paper.key, name, location=self.env.docname)
            return f"page: {name}"
        target = f"/{self.pages[name]}.md" + (f"#{anchor}" if anchor else "")
        return f"page: [{title(name)}]({target})"


def title(chapter: str) -> str:
    return chapter.replace("_", " ").capitalize()


def part_row(part, value: str) -> str:
    wanted = "; ".join(condition(measure) for measure in part.measures)
    return f"| {part.number} | {plain(part.text)} | {wanted} | {value} |"


def condition(measure) -> str:
    """As `name ≤ 1e-06 unit`; a single measure needs no name."""
    name = "" if measure.name == "value" else f"{measure.name} "
    sign = SIGNS.get(measure.comparator, measure.comparator)
    around = f" ± {measure.tolerance:g}" if measure.comparator == "~" else ""
    return plain(f"{name}{sign} {measure.threshold:g}{around} {measure.unit}")


def measured(result) -> str:
    if result is None:
        return "not yet"
    values = "; ".join(
        plain("" if m["name"] == "value" else m["name"]) + f" {m['value']:.4g}".rstrip()
        for m in result["measures"]
    )
    count = len(result["seeds"])
    seeds = f"{count} seed{'s' * (count > 1)}, {result['seconds']:.0f} s"
    return f"{values} ({seeds})" + ("" if result["passed"] else ", **not reproduced**")


def failures(papers) -> list[str]:
    """What is recorded as not reproduced, with its reason."""
    failed = [
        f"- {plain(paper.title)} ({paper.year}), part {part.number}, with the seeds "
        f"{', '.join(map(str, part.failure.seeds))}: {plain(part.failure.reason)}"
        for paper in papers
        for part in paper.parts
        if part.failure
    ]
    return ["## What did not reproduce", "", *(failed or ["Nothing so far."])]


class Battery(MarkdownTable):
    def lines(self, root):
        rows = catalogue.read_battery(root)
        if not rows:
            return ["No table has been measured yet."]
        lines = []
        for contract in dict.fromkeys(row["contract"] for row in rows):
            chosen = [row for row in rows if row["contract"] == contract]
            lines += [
                f"## {title(contract)}",
                "",
                ":::{container} checks",
                *table(chosen),
                ":::",
                "",
            ]
        return lines


def table(rows) -> list[str]:
    """Variants down, checks across."""
    checks = list(dict.fromkeys(row["check"] for row in rows))
    marks = {(row["variant"], row["check"]): MARKS[row["result"]] for row in rows}
    lines = ["| variant | " + " | ".join(map(plain, checks)) + " |", "|---" * len(checks) + "|---|"]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = [marks.get((variant, check), MARKS["none"]) for check in checks]
        lines.append(f"| {plain(variant)} | " + " | ".join(cells) + " |")
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
