"""A folder of files that is replaced as a whole: after a crash it is the old one or the new one.

New files are first written into ``.saving`` inside the folder and flushed to the disk. Renaming
that to ``.saved`` is the one moment at which the new files count; they are then moved out, one by
one. Whoever reads looks into ``.saved`` first, so an interruption at any point is harmless. Other
files in the folder are left alone.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

_WRITING, _WRITTEN = ".saving", ".saved"


def replace_files(folder: str | Path, writers: Mapping[str, Callable[[Path], None]]) -> None:
    """Replace the named files of ``folder`` together; a writer is called with the path to write.

    When a writer fails (a full disk), its exception is raised and the old files are as they were.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _move_out(folder)
    writing = folder / _WRITING
    shutil.rmtree(writing, ignore_errors=True)  # what an interrupted save has left
    try:
        writing.mkdir()
        for name, write in writers.items():
            write(writing / name)
            _flush(writing / name)
        _flush(writing)
        os.rename(writing, folder / _WRITTEN)
    except BaseException:
        shutil.rmtree(writing, ignore_errors=True)
        raise
    _flush(folder)
    _move_out(folder)


def find_file(folder: str | Path, name: str) -> Path:
    """Where the newest whole version of a file is; raises FileNotFoundError if there is none."""
    for path in (Path(folder) / _WRITTEN / name, Path(folder) / name):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{folder} expected a file {name}, found none")


def _move_out(folder: Path) -> None:
    written = folder / _WRITTEN
    if not written.is_dir():
        return
    for path in sorted(written.iterdir()):
        os.replace(path, folder / path.name)
    _flush(folder)
    written.rmdir()


def _flush(path: Path) -> None:
    """Wait until a file, or the list of files in a folder, is on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows cannot open a folder
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
