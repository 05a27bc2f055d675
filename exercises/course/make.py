"""A version of some pages, frozen into a folder: what to hand out, and what to keep.

student/   notebooks, stubs, pytest files, the wheel of minitx, a note, SHA256SUMS
teacher/   assignment.json (the seed!), solutions/, kit/ (grading and this very minitx), otter/
"""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exercises import build
from exercises.course.cells import with_again
from exercises.course.grading.frozen import hashes
from minitx import data
from minitx.checks import CHAPTERS, chapter

ROOT = Path(__file__).resolve().parents[2]
GRADING = Path(__file__).parent / "grading"
Asked = dict[str, dict[str, dict[str, str]]]

NOTE = """# {term}: exercises

Work on {pages}: the notebook, or the `.py` file with the same stubs.
You need Python 3.11 or newer and, in this folder,

    python -m pip install {wheel} jupyter matplotlib pytest

Under each exercise a check says what is wrong, in words. `minitx check` runs all of them and
`pytest` does so for the `.py` files. Your work is graded by the same checks with other numbers and
other sizes, so functions must compute what they return. What is worked out by hand, or predicted,
is asked again with numbers of this term: no check tells you whether that is right.

Hand in {files} under these names. What is graded is what the functions return: a
file must run from top to bottom, and needs no other file.
"""

DOCKERFILE = """# The process that runs a student's code, alone: docker build -t answers .
FROM python:3.12-slim
RUN pip install --no-cache-dir "numpy>=2.0" && useradd student
COPY minitx /kit/minitx
# Not its folder variants/: a teacher's own questions stay outside.
COPY grading/*.py /kit/grading/
ENV PYTHONPATH=/kit PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=agg
USER student
WORKDIR /tmp
# A container outlives the command that started it, but its input does not: when `cat` finds the end
# of that, it ends an endless loop, too; and when Python ends, so does the container.
CMD ["timeout", "--signal=KILL", "900", "sh", "-c", \\
     "{ cat; kill -9 0; } | { python -P -m grading.answers; kill -9 0; }"]
"""


@dataclass(frozen=True)
class Order:
    """What a teacher asks for; another ``seed`` is another set of assessed numbers and sizes."""

    term: str
    pages: list[str]
    seed: int

    def __post_init__(self) -> None:
        unknown = [page for page in self.pages if page not in CHAPTERS]
        if unknown or not self.pages:
            raise ValueError(f"expected pages out of {', '.join(CHAPTERS)}; got {unknown}")
        if not self.term or set(self.term) & set("/\\:") or self.term.startswith("."):
            raise ValueError(f"expected a term such as 2026-autumn, got {self.term!r}")


def draw_seed() -> int:
    """A seed that nobody can guess."""
    return secrets.randbelow(2**63)


def make(order: Order, folder: Path, wheel: Path, variants: Path | None = None) -> None:
    """Write the folder of a course; ``variants`` is a folder of questions of a teacher's own.

    Raises ``FileExistsError`` rather than change a course that is there.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: a frozen course does not change")
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    _copy_kit(half / "teacher/kit", wheel, variants)
    asked = json.loads(run(half / "teacher", "texts", str(order.seed), *order.pages))
    for path, text in _texts(order, wheel.name, asked):
        target = half / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf8")
    shutil.copy(wheel, half / "student")
    sums = "".join(f"{digest}  {name}\n" for name, digest in hashes(half / "student").items())
    (half / "student/SHA256SUMS").write_text(sums, "utf8")
    assignment = json.dumps(_assignment(order, half), indent=1) + "\n"
    (half / "teacher/assignment.json").write_text(assignment, "utf8")
    half.rename(folder)


def run(teacher: Path, module: str, *arguments: str) -> str:
    """What a module of the frozen kit writes."""
    own = {"PYTHONPATH": str(teacher / "kit"), "PYTHONDONTWRITEBYTECODE": "1"}
    env = os.environ | own | {"OPENBLAS_NUM_THREADS": "1"}  # more are slower for small arrays
    command = [sys.executable, "-P", "-m", f"grading.{module}", *arguments]
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout


def _copy_kit(kit: Path, wheel: Path, variants: Path | None) -> None:
    """The grader, with a teacher's own questions, and the minitx of the wheel."""
    shutil.copytree(GRADING, kit / "grading", ignore=_no_caches)
    if variants:
        own = kit / "grading/variants/own"
        shutil.copytree(variants, own, dirs_exist_ok=True, ignore=_no_caches)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(kit, [name for name in packed.namelist() if _is_code(name)])


def _texts(order: Order, wheel: str, asked: Asked) -> Iterator[tuple[str, str]]:
    """(path, text) of everything that is written and not copied; ``asked`` again, by page."""
    for page in order.pages:
        master = build.read_cells((build.HERE / f"{page}.py").read_text("utf8"))
        cells = with_again(master, chapter(page), asked[page])
        cells = build.with_cards(cells, chapter(page))
        stubs, solved = build.without_solutions(cells), build.with_solutions(cells)
        for where, made in (("student", stubs), ("teacher/solutions", solved)):
            yield f"{where}/{page}.ipynb", build.notebook(made)
            yield f"{where}/{page}.py", build.script(made)
        yield f"student/test_{page}.py", build.TEST.format(name=page)
    names = [f"`{page}.ipynb`" for page in order.pages]
    files = " and ".join(f"{name} (or `.py`)" for name in names)
    yield (
        "student/README.md",
        NOTE.format(term=order.term, pages=" and ".join(names), files=files, wheel=wheel),
    )
    yield "teacher/kit/Dockerfile", DOCKERFILE


def _assignment(order: Order, half: Path) -> dict[str, Any]:
    """What was frozen, with the hash of each file, of the data, and the commit if git knows one."""
    described = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        commit = subprocess.run(described, capture_output=True, text=True).stdout.strip()
    except OSError:
        commit = ""
    return {
        "term": order.term,
        "pages": order.pages,
        "seed": order.seed,
        "commit": commit,
        "python": ".".join(map(str, sys.version_info[:3])),
        "points": {it.name: it.points for page in order.pages for it in chapter(page)},
        "data": data_hashes(),
        "files": hashes(half),
    }


def data_hashes() -> dict[str, str]:
    """SHA-256 of the data that come with other libraries, as this machine has them."""
    found = {}
    for name in ("bundled_prose", "eeg", "share_price", "digits"):
        try:
            value = getattr(data, name)()
        except ImportError:
            found[name] = "not installed"
            continue
        value = value.images if name == "digits" else value
        raw = value.encode() if isinstance(value, str) else value.tobytes()
        found[name] = hashlib.sha256(raw).hexdigest()
    return found


def build_wheel(target: Path) -> Path:
    """The wheel of this checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(target.glob("minitx-*.whl"))


def _is_code(name: str) -> bool:
    return name.startswith("minitx/")


def _no_caches(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]
