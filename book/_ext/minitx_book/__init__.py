"""The machine of the book: what Sphinx and Jupyter Book do not do by themselves.

A file for each job. The ground: what is fetched or built for the site (`assets`), how pages are
executed (`execution`), figures also as SVG (`vector`). What a page can ask for: its card (`card`),
the paper index and the table of checks (`papers`), the table of times (`bench`), the graph of pages
(`graph`), the weeks of a course (`syllabus`). What every page gets: a notebook to download
(`notebooks`), the button that reports an error and the Run button (`pages`).
"""

from . import assets, bench, card, execution, graph, notebooks, pages, papers, syllabus, vector

GROUND = (assets, execution, vector)
PARTS = (*GROUND, papers, bench, card, graph, syllabus, notebooks, pages)


def setup(app):
    for part in PARTS:
        part.setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
