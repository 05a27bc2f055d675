"""Otter's way in: the judge grades the file, and Otter's own kernel is given an empty notebook."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from otter.plugins import AbstractOtterPlugin

FROZEN = Path("../source/files/teacher")  # beside the folder that a student's files are put into


class Judged(AbstractOtterPlugin):
    """Writes ``judged.jsonl``, which the tests read."""

    def before_execution(self, submission: Any) -> Any:
        asked = f"{self.plugin_config['page']}={self.submission_path}"
        paths = [str((FROZEN / "kit").absolute()), os.environ.get("PYTHONPATH", "")]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        command = [sys.executable, "-P", "-m", "grading.judge", "--course", str(FROZEN), asked]
        with open("../judged.jsonl", "wb") as file:
            subprocess.run(command, stdout=file, env=env)
        submission.cells = []
        return submission
