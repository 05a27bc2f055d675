"""Otter's way in: the judge grades the file, and Otter's own kernel is given an empty notebook."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from otter.plugins import AbstractOtterPlugin
from otter.run.run_autograder.utils import OtterRuntimeError

FROZEN = Path("../source/files/teacher")  # beside the folder that a student's files are put into
CONTAINER = Path("/autograder")
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"
REFUSED = (
    "Nothing was graded: tell your teacher. In a container, a student's code runs as another user, "
    "so that it reaches neither the seed nor the results. That needs Otter to run as root, and the "
    "command `setpriv` (of util-linux). Here {}."
)


class Judged(AbstractOtterPlugin):
    """Writes ``judged.jsonl``, which the tests read."""

    def before_execution(self, submission: Any) -> Any:
        asked = f"{self.plugin_config['page']}={self.submission_path}"
        paths = [str((FROZEN / "kit").absolute()), os.environ.get("PYTHONPATH", "")]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        command = [sys.executable, "-P", "-m", "grading.judge", "--course", str(FROZEN), asked]
        if in_container():
            command += ["--inside", as_nobody()]
        with open("../judged.jsonl", "wb") as file:
            subprocess.run(command, stdout=file, env=env)
        submission.cells = []
        return submission


def in_container() -> bool:
    """Whether this is Otter's container, or Gradescope's, to go by either of two places."""
    return any(place.is_relative_to(CONTAINER) for place in (Path.cwd(), Path(__file__).resolve()))


def as_nobody() -> str:
    """A command for a student's process: by a user who can reach neither the seed nor the results.

    Otter unpickles its results, and with Docker it does so on the teacher's own machine. So it
    raises ``OtterRuntimeError``, and nothing is run, where there cannot be such a user.
    """
    if os.geteuid() != 0:
        raise OtterRuntimeError(REFUSED.format("Otter is not root"))
    if not shutil.which("setpriv"):
        raise OtterRuntimeError(REFUSED.format("there is no `setpriv`"))
    kit = Path(tempfile.mkdtemp())
    kit.chmod(0o755)
    shutil.copytree(FROZEN / "kit", kit, dirs_exist_ok=True, ignore=_no_questions)
    CONTAINER.chmod(0o700)
    Path.home().chmod(0o711)  # Otter's Python is in there
    here = f'cd "$(mktemp -d)" && exec {shlex.quote(sys.executable)} -P -m grading.answers'
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": kit, "OPENBLAS_NUM_THREADS": 1}
    kept = shlex.join(f"{name}={value}" for name, value in own.items())
    return f"env -i {kept} {NOBODY} sh -c {shlex.quote(here)}"


def _no_questions(folder: str, names: list[str]) -> list[str]:
    """The questions of the term, which lie directly below ``grading``; minitx has variants, too."""
    return ["variants"] if Path(folder) == FROZEN / "kit/grading" else []
