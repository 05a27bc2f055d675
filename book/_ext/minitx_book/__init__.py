"""The machine of the book: what Sphinx and Jupyter Book do not do by themselves.

A file for each job. The ground: what is fetched or built for the site (`assets`), how pages are
executed (`execution`). What a page can ask for: its card (`card`), the paper index and the table
of checks (`papers`), the graph of pages (`graph`). What every page gets: a notebook to download
(`notebooks`), the button that reports an error and the Run button (`pages`).
"""

from . import assets, card, execution, graph, notebooks, pages, papers


def setup(app):
    for part in (assets, execution, papers, card, graph, notebooks, pages):
        part.setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
