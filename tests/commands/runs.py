"""Small runs of the command line in a process of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TINY = (
    "--d-model 8 --heads 2 --layers 1 --length 8 --batch-size 3 --steps 6 --samples 9 --seed 5"
).split()
WORDS = "the cat sat on the mat, and the dog sat by the door; äöü. "


def text(folder, characters=1200):
    """A file of text, the same in every run."""
    path = Path(folder) / "text.txt"
    path.write_text((WORDS * (characters // len(WORDS) + 1))[:characters], encoding="utf-8")
    return path


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **more}


def minitx(*arguments, cwd=None, code="", timeout=60):
    """Run ``python -m minitx ARGUMENTS``, after ``code``: (status, output, complaints)."""
    program = f"import sys; {code}\nfrom minitx.cli import main; sys.exit(main())"
    command = [sys.executable, *(["-c", program] if code else ["-m", "minitx"])]
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=cwd, env=environment(), timeout=timeout,
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def kill_when(there, process):
    """Wait until ``there()``, and kill the process as nobody can prevent."""
    end = time.monotonic() + 60
    while not there() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
