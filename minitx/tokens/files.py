"""Reading and writing a tokenizer's files: text and JSON only, with errors that name the file."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def to_json(value: Any) -> str:
    """JSON as people can read it, every character as itself."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def read_file(path: Path) -> str:
    """The text of a UTF-8 file; raises ``ValueError`` naming the file if it is not that."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} expected UTF-8 text, got byte {error.start} that is not"
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; raises ``ValueError`` naming the file if there is none."""
    try:
        value = json.loads(read_file(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} expected JSON, got something else: {error}") from None
    return expect(value, dict, str(path))


def expect(value: Any, kind: type, where: str) -> Any:
    """``value`` if it is of the kind; raises ``ValueError`` that says where it is not."""
    if not isinstance(value, kind):
        raise ValueError(f"{where} expected {kind.__name__}, got {type(value).__name__}")
    return value


def write_files(folder: str | Path, files: Mapping[str, str]) -> None:
    """Write each file whole or not at all: into a new file first, then renamed over the old."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)  # mkstemp's files are readable by their owner alone
            os.replace(temporary, folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
