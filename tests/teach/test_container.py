"""The container that runs a student's code: its command here, and all of it where an image is.

The first two tests need no container. The others want Docker or Podman and the image of the page:
`docker build -t answers courses/TERM/teacher/kit`; they are run by `make test-course`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exercises.course import make
from exercises.course.grading.remote import Limits, Submission
from tests.teach import made
from tests.teach.test_grading import fill, grade

TELLS = """
import os, socket
from pathlib import Path


def reach(do):
    try:
        return bool(do())
    except OSError:
        return False


found = {
    "network": reach(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "root": os.geteuid() == 0 or reach(lambda: os.setuid(0) is None),
    "written": [
        top
        for top in ("/", "/kit", "/kit/grading", "/etc", "/usr", "/home/student")
        if reach(lambda: Path(top, "mine").write_text("x"))
    ],
    "kit": sorted(os.listdir("/kit")),
    "questions": reach(lambda: os.listdir("/kit/grading/variants")),
    "folder": os.listdir("."),
}
"""


@pytest.fixture
def image(course, tmp_path):
    """(environment, command) of the Dockerfile: what it copies, in a folder in place of /kit."""
    kit, text = course / "teacher/kit", (course / "teacher/kit/Dockerfile").read_text("utf8")
    copies = re.findall(r"^COPY (\S+) /(\S+)$", text, re.M)
    assert len(copies) == 2
    for what, where in copies:
        for path in kit.glob(what):
            target = tmp_path / where
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    own = dict(pair.split("=") for pair in re.search(r"^ENV (.*)$", text, re.M)[1].split())
    own["PYTHONPATH"] = str(tmp_path / "kit")
    own["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return own, json.loads(re.search(r"^CMD (\[.*?\])$", text.replace("\\\n", ""), re.M)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="`timeout` comes with Linux")
def test_what_the_image_copies_is_enough_and_holds_no_question_of_the_term(image, tmp_path):
    own, command = image
    assert not (tmp_path / "kit/grading/variants").exists()
    path = tmp_path / "work.py"
    path.write_text("def double(x):\n    return 2 * x\n", "utf8")
    inside = ("env", *(f"{name}={value}" for name, value in own.items()), *command)
    with Submission(path, ["double"], Limits(inside=inside)) as line:
        assert line.problem == ""
        assert line.answer("double")(21) == 42


@pytest.mark.skipif(sys.platform != "linux", reason="`timeout` comes with Linux")
def test_the_end_of_the_line_ends_a_loop(image, tmp_path):
    own, command = image
    endless = made.LOOP + "\nattention(1, 2, 3)\n"
    order = {"name": "work.py", "text": endless, "wanted": [], "gigabytes": 1.0}
    order |= {"reading_seconds": 60.0, "processor_seconds": 60.0}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, cwd=tmp_path, env=own, start_new_session=True
    )
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.stdin.close()
    process.wait(10)


@pytest.fixture(scope="module")
def engine():
    """The name of the program that has the image ``answers``."""
    for name in filter(shutil.which, ("docker", "podman")):
        asked = subprocess.run([name, "image", "inspect", "answers"], capture_output=True)
        if asked.returncode == 0:
            return name
    return pytest.skip("needs docker or podman with an image `answers` (book/teach/grading.md)")


@pytest.fixture(scope="module")
def inside(engine):
    """The command that the page gives."""
    page = (make.ROOT / "book/teach/grading.md").read_text("utf8")
    return re.search(r'--inside "docker (run .*? answers)"', page)[1].join([f"{engine} ", ""])


@pytest.mark.course
def test_in_a_container_each_earns_the_same_and_none_is_left(
    course, solutions, engine, inside, tmp_path
):
    right = (course / "teacher/solutions/attention.py").read_text("utf8")
    work = made.submissions(right, (course / "student/attention.py").read_text("utf8"), solutions)
    inbox = fill(tmp_path / "inbox", work)
    before = running(engine)
    rows = grade(course / "teacher", inbox, tmp_path / "out", "--inside", inside, "--jobs", "2")
    plain = grade(course / "teacher", inbox, tmp_path / "plain", "--jobs", "2")
    columns = [f"attention/{name}" for name in made.POINTS]
    for student in plain:
        got = {name: rows[student][name] for name in columns}
        assert got == {name: plain[student][name] for name in columns}, student
    assert rows["right"]["total"] == str(made.FULL)
    assert running(engine) <= before


def running(engine):
    """The containers of the image ``answers``."""
    command = [engine, "ps", "-q", "--filter", "ancestor=answers"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.course
def test_a_file_in_a_container_reaches_nothing(inside, tmp_path):
    path = tmp_path / "tells.py"
    path.write_text(TELLS, "utf8")
    with Submission(path, ["found"], Limits(inside=tuple(shlex.split(inside)))) as line:
        assert line.problem == ""
        found = line.answer("found")
    assert found == {
        "network": False,
        "interfaces": ["lo"],
        "root": False,
        "written": [],
        "kit": ["grading", "minitx"],
        "questions": False,
        "folder": ["tells.py"],
    }
