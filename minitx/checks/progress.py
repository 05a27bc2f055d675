"""Which exercises have been done: one small file, ``~/.minitx/progress.json``.

``MINITX_HOME`` names another folder, and ``MINITX_PROGRESS=off`` keeps nothing. A file that cannot
be understood is set aside under another name; one that cannot be written is not fatal.
"""

import json
import os
from datetime import date
from pathlib import Path


def path() -> Path | None:
    """Where progress is kept; None if it is not."""
    if os.environ.get("MINITX_PROGRESS", "").lower() in ("off", "0", "no"):
        return None
    home = os.environ.get("MINITX_HOME")
    try:
        return (Path(home) if home else Path.home() / ".minitx") / "progress.json"
    except RuntimeError:  # this account has no home
        return None


class Progress:
    """The exercises that are done, with the day; ``notes`` are sentences about the file itself."""

    def __init__(self, file: Path | None):
        self.file, self.notes = file, []
        self.done: dict[str, str] = self._read() if file else {}

    def _read(self) -> dict[str, str]:
        try:
            done = json.loads(self.file.read_text("utf8"))["done"]
            return {str(name): str(day) for name, day in done.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._set_aside()
        except OSError as error:
            self.notes.append(f"{self.file} cannot be read ({error.strerror}).")
        return {}

    def _set_aside(self) -> None:
        aside = self.file.with_suffix(".broken.json")
        number = 1
        while aside.exists():
            number += 1
            aside = self.file.with_suffix(f".broken-{number}.json")
        try:
            self.file.rename(aside)
            self.notes.append(
                f"{self.file} was damaged; it is now {aside.name}, and counting begins anew."
            )
        except OSError as error:
            self.notes.append(f"{self.file} is damaged, and cannot be renamed ({error.strerror}).")
            self.file = None

    def add(self, names: list[str]) -> None:
        """Mark exercises as done, today; a day that is there already stays."""
        new = {name: date.today().isoformat() for name in names if name not in self.done}
        if not new:
            return
        self.done |= new
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            half = self.file.with_suffix(f".{os.getpid()}.tmp")
            half.write_text(json.dumps({"done": self.done}, indent=1) + "\n", "utf8")
            half.replace(self.file)
        except OSError as error:
            self.notes.append(f"progress could not be kept in {self.file} ({error.strerror}).")
