"""A course, set once for all tests of this folder, and a line between two ends in one process."""

import contextlib
import io
import os
import threading
import zipfile

import pytest

from exercises import build
from exercises.course import make
from exercises.course.grading.stand_ins import ProcessEnded
from exercises.course.grading.wire import Peer
from minitx.checks.reader import read


@pytest.fixture(scope="session")
def seed():
    """The seed of the course."""
    return 20261


@pytest.fixture(scope="session")
def course(tmp_path_factory, seed):
    """The folder of a course of page ``attention``, as ``make`` writes it."""
    folder = tmp_path_factory.mktemp("courses")
    wheel = folder / "minitx-0.0.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:  # what a wheel is; the real one takes hatchling
        for path in sorted((make.ROOT / "minitx").rglob("*.py")):
            packed.write(path, path.relative_to(make.ROOT))
    make.make(make.Order("spring", ["attention"], seed), folder / "spring", wheel)
    return folder / "spring"


@pytest.fixture(scope="session")
def solutions(course):
    """{name: what the solutions of page ``attention`` define}."""
    with contextlib.redirect_stdout(io.StringIO()):
        found, problem = read(course / "teacher/solutions/attention.py")
    assert not problem
    return found


@pytest.fixture
def line():
    """(this end, the other end), the other one answering in a thread."""
    there, back = os.pipe(), os.pipe()
    here = Peer(os.fdopen(back[0], "rb"), os.fdopen(there[1], "wb"))
    other = Peer(os.fdopen(there[0], "rb"), os.fdopen(back[1], "wb"))

    def answer():
        with contextlib.suppress(ProcessEnded):
            while True:
                other.serve(other.hear())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield here, other
    here.sink.close()
    thread.join(5)
    other.sink.close()
    here.source.close()
    other.source.close()


@pytest.fixture(scope="session")
def answers(tmp_path_factory):
    """answers(page): what the solutions of any page define."""
    folder, known = tmp_path_factory.mktemp("solutions"), {}

    def find(page):
        if page not in known:
            text = (build.HERE / f"{page}.py").read_text("utf8")
            path = folder / f"{page}.py"
            path.write_text(build.script(build.with_solutions(build.read_cells(text))), "utf8")
            with contextlib.redirect_stdout(io.StringIO()):
                known[page], problem = read(path)
            assert not problem
        return known[page]

    return find
