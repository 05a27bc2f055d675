"""Whether a frozen course is still what was frozen."""

import hashlib
import json
from pathlib import Path


def hashes(folder: Path) -> dict[str, str]:
    """{path in the folder: SHA-256} of every file, in order."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def changed(teacher: Path) -> list[str]:
    """The frozen files in the teacher's folder that are gone, or no longer what they were."""
    known = json.loads((teacher / "assignment.json").read_text("utf8")).get("files", {})
    there = hashes(teacher)
    own = {name.removeprefix("teacher/"): it for name, it in known.items() if "teacher/" in name}
    return [name for name, digest in own.items() if there.get(name) != digest]
