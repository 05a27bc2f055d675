"""``import minitx`` imports NumPy, nothing else, and costs little beyond it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parent.parent)
LIMIT = 0.060  # seconds of processor time beyond NumPy's own import


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return found.stdout


def test_numpy_is_all_that_is_imported():
    code = (
        "import sys; before = set(sys.modules); import numpy, numpy.random;"
        "with_numpy = set(sys.modules);"
        "import minitx, minitx.nn, minitx.functional;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - with_numpy})"
    )
    foreign = set(run(code).split()) - set(sys.stdlib_module_names) - {"minitx", "numpy"}
    assert not foreign, f"import minitx imported {sorted(foreign)}"


def test_the_import_is_quick():
    code = (  # on this thread: the threads of BLAS, which wait by spinning, are no cost of ours
        "import numpy, time; start = time.thread_time(); import minitx;"
        "print(time.thread_time() - start)"
    )
    taken = []
    for _ in range(20):  # the best of several: the machine may be busy
        taken.append(float(run(code)))
        if min(taken) < LIMIT:
            break
    assert min(taken) < LIMIT, f"import minitx takes {1e3 * min(taken):.0f} ms beyond NumPy"


def test_a_room_is_imported_when_it_is_named():
    code = "import minitx, sys; print('minitx.data' in sys.modules, minitx.data.__name__)"
    assert run(code).split() == ["False", "minitx.data"]


@pytest.mark.parametrize("name", ["nonsense", "Tensr"])
def test_what_minitx_has_not_is_an_attribute_error(name):
    import minitx

    with pytest.raises(AttributeError, match=f"minitx has no '{name}'"):
        getattr(minitx, name)
