"""Run the pages: a cache that knows the package, and both cores.

The execution cache keys a page by its own code alone. A page also depends on minitx, so the cache
of one state of minitx lies in a folder that is named after that state. Pages that are not in it
are executed before Sphinx reads them, two at a time, each with one thread of linear algebra, so
that neither disturbs the other's measured times. What `stored` has is not run.
"""

import logging as std_logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sphinx.util import logging

from . import stored
from .assets import digest_of

LOG = logging.getLogger(__name__)
READER = {"name": "myst_nb_md", "type": "plugin"}
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def choose_cache(app, config) -> None:
    folder = Path(app.outdir).parent / "execution"
    stored_digest = digest_of(Path(app.srcdir) / "_data" / "stored")[:4]
    state = f"{config.minitx_digest}-{stored_digest}-svg"  # and what `vector` lets cells keep
    for old in folder.glob("*"):
        if old.name != state:
            shutil.rmtree(old, ignore_errors=True)
    config.nb_execution_cache_path = str(folder / state)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["PYTHONHASHSEED"] = "0"
    std_logging.getLogger("traitlets").setLevel(std_logging.ERROR)


def execute_ahead(app, env, docnames) -> None:
    """Fill the cache for the pages that Sphinx is about to read; one that fails is left to it."""
    from jupyter_cache import get_cache

    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = [name for name in docnames if _wants_execution(cache, Path(env.doc2path(name)))]
    if not waiting:
        return
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        paths = [Path(env.doc2path(name)) for name in waiting]
        runs = pool.map(lambda path: _execute(path, app.config.nb_execution_timeout), paths)
        for name, path, run in zip(waiting, paths, runs):
            LOG.info("executed %s in %.1f s%s", name, run.time, ", with an error" * bool(run.err))
            if wrong := stored.fill(run.nb, path):
                LOG.warning(wrong, location=name)
            if not run.err:
                _store(cache, path, run)


def _wants_execution(cache, path: Path) -> bool:
    from myst_nb.core.read import is_myst_markdown_notebook

    if not is_myst_markdown_notebook(path.read_text("utf8")):
        return False
    try:
        cache.match_cache_notebook(_read(path))
    except KeyError:
        return True
    return False


def _read(path: Path):
    from myst_nb.core.read import myst_nb_reader_plugin

    return myst_nb_reader_plugin(str(path))


def _execute(path: Path, timeout: int):
    from jupyter_cache.executors.utils import single_nb_execution

    notebook = _read(path)
    stored.skip(notebook, path)
    timeout = notebook.metadata.get("mystnb", {}).get("execution_timeout", timeout)
    return single_nb_execution(notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False)


def _store(cache, path: Path, run) -> None:
    from jupyter_cache.base import CacheBundleIn

    data = {"execution_seconds": run.time}
    bundle = CacheBundleIn(run.nb, str(path), artifacts=None, data=data, traceback=None)
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app) -> None:
    app.connect("config-inited", choose_cache, priority=200)
    app.connect("env-before-read-docs", execute_ahead)
