"""A student's file, running in a process of its own that is started, asked and ended from here."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minitx
from minitx.checks.exercise import GIGABYTES
from minitx.checks.limits import TimeUp, time_limit

from .stand_ins import ProcessEnded
from .wire import Peer

READING = 20.0  # seconds for all that a file does at its top level
START = 20.0  # seconds for a process, or a container, to start
LARGEST = 2**24  # bytes of a file that is handed in


@dataclass(frozen=True)
class Limits:
    """How long a question, and the reading of a file, may take; ``inside`` is another command."""

    seconds: float = 5.0
    reading: float = READING
    inside: tuple[str, ...] = ()


class Submission:
    """The answers that a file defines; ``answer(name)`` is None where it defines none."""

    def __init__(self, path: Path, wanted: list[str], limits: Limits = Limits()):
        self.path, self.wanted, self.limits = path, wanted, limits
        self.peer: Peer | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.problem, self.found = "", {}
        self._start()

    def _start(self) -> None:
        """Run the file; what it defines is ``found``, what is wrong with it the ``problem``."""
        try:
            if self.path.stat().st_size > LARGEST:
                raise ValueError("more than 16 MiB")
            text = self.path.read_text("utf-8-sig")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            self.problem = f"{self.path.name} cannot be read as text ({why})."
            return
        self._open()
        try:
            with time_limit(START + self.limits.reading):
                self.peer.say(self._order(text))
                heard = self.peer.hear()
                self.problem = str(heard["problem"])[:500]
                defined = heard["defined"].items()
                self.found = {name: self.peer.unpack(data) for name, data in defined}
        except TimeUp:
            self._fail("could only be ended by force while it was read")
        except (ProcessEnded, OSError):
            self._fail("ended Python itself while it was read")
        except Exception:  # whatever may come of reading what was written to do harm
            self._fail("disturbs the line to the grader")

    def _open(self) -> None:
        """Start a process in an empty folder, and the line to it."""
        self.folder = tempfile.TemporaryDirectory(prefix="answers-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            self.limits.inside or [sys.executable, "-P", "-m", f"{__package__}.answers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder.name,
            env=None if self.limits.inside else _surroundings(),
            start_new_session=True,
        )
        self.peer = Peer(self.process.stdout, self.process.stdin)

    def _order(self, text: str) -> dict[str, Any]:
        return {
            "name": self.path.name,
            "text": text,
            "wanted": self.wanted,
            "gigabytes": GIGABYTES,
            "reading_seconds": self.limits.reading,
            "processor_seconds": self.limits.reading + 60 * self.limits.seconds,
        }

    def _fail(self, why: str) -> None:
        self.problem, self.found = f"{self.path.name} {why}.", {}
        self.close()

    def answer(self, name: str) -> Any:
        """The answer of that name, from a new process if the last one was lost."""
        if self.peer and self.peer.lost:
            self.close()
            self._start()
        return self.found.get(name)

    def close(self) -> None:
        """End the process and all that it has started in its group."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                end.close()
        self.folder.cleanup()
        self.process = None

    def __enter__(self) -> "Submission":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _surroundings() -> dict[str, str]:
    """What the process finds: this minitx and this package, one thread, no windows, no secrets."""
    here = Path(__file__).parents[len(__package__.split("."))]
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    paths = [str(here), str(Path(minitx.__file__).parents[1])]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }
