"""Checking a file from outside: in a child process, which is ended if it cannot end itself."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitx.checks import reader
from minitx.checks.exercise import SECONDS, Exercise, Report
from minitx.errors import UserError

GRACE = 10.0  # seconds in which a child should manage to end the work by itself


class Child:
    """A process that checks; ``line`` waits for the next thing that it has to say."""

    def __init__(self, path: Path, exercises: list[Exercise], seconds: float):
        command = [sys.executable, "-P", "-m", "minitx.checks.child", str(path), str(seconds)]
        self.process = subprocess.Popen(
            command + [exercise.name for exercise in exercises],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_surroundings(),
        )
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.pump = threading.Thread(target=self._pump, daemon=True)
        self.pump.start()

    def _pump(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")  # it has ended

    def line(self, seconds: float) -> dict[str, Any] | str:
        """The next line; or why there is none."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            return f"was still running after {seconds:g} seconds, and could only be ended by force"
        if line:
            return json.loads(line)
        return f"ended Python itself (exit status {self.process.wait()})"

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.pump.join(1)  # a grandchild may keep the pipe open for longer: leave it
        if not self.pump.is_alive():
            self.process.stdout.close()


def _surroundings() -> dict[str, str]:
    """The child finds this minitx, installed or not, prints anything, and opens no windows."""
    home = str(Path(__file__).parents[2])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    return os.environ | own


def check_file(
    path: Path, exercises: list[Exercise], seconds: float = SECONDS
) -> Iterator[str | Report]:
    """What is wrong with the file, if anything, then a report on each exercise."""
    left, said = list(exercises), False
    while left:
        with Child(path, left, seconds) as child:
            head = child.line(reader.SECONDS + GRACE)
            if isinstance(head, str):
                yield f"{path.name} {head}. Nothing in it was checked."
                return
            if "unreadable" in head:
                raise UserError(head["unreadable"])
            if head["problem"] and not said:
                yield head["problem"]
            said = True
            yield from _reports(child, left, seconds)


def _reports(child: Child, left: list[Exercise], seconds: float) -> Iterator[Report]:
    """A report on each exercise, until all are done or the child is lost with one of them."""
    while left:
        exercise = left.pop(0)
        answer = child.line(seconds * len(exercise.stages) + GRACE)
        if isinstance(answer, str):
            message = f"{exercise.name}: your function {answer}."
            yield Report(exercise.name, (False,), 0, exercise.points, message)
            return
        yield Report(**answer | {"outcomes": tuple(answer["outcomes"])})
