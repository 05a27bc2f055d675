"""What was handed in: which file of a folder is whose, and for which page.

A folder for each student with ``attention.ipynb`` or ``attention.py`` in it, at any depth; or files
side by side, ``ada_attention.ipynb``. Of two files for one page the later one counts.
"""

from pathlib import Path

SUFFIXES = (".ipynb", ".py")


def submissions(inbox: Path, pages: list[str]) -> dict[str, dict[str, Path | None]]:
    """{student: {page: file, or None if there is none}}, students in order.

    Raises ``FileNotFoundError`` if the folder is not there or holds nobody's work.
    """
    if not inbox.is_dir():
        raise FileNotFoundError(f"expected a folder with a folder for each student, got {inbox}")
    found: dict[str, dict[str, Path | None]] = {}
    for item in sorted(inbox.iterdir()):
        if item.name.startswith(("__", ".")) or item.is_symlink():
            continue
        if item.is_dir():
            found[item.name] = {page: _latest(item, page) for page in pages}
            continue
        student, page = _named(item, pages)
        if page:
            own = found.setdefault(student, dict.fromkeys(pages))
            own[page] = _later(own[page], item)
    if not found:
        raise FileNotFoundError(f"expected work in {inbox}: a folder for each student")
    return dict(sorted(found.items()))


def _latest(folder: Path, page: str) -> Path | None:
    """The latest file of a page; one whose name only ends in the page's if there is no other."""
    latest: dict[bool, Path | None] = {True: None, False: None}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or ".ipynb_checkpoints" in path.parts:
            continue
        exact = path.suffix in SUFFIXES and path.stem == page
        if exact or _named(path, [page])[1]:
            latest[exact] = _later(latest[exact], path)
    return latest[True] or latest[False]


def _named(path: Path, pages: list[str]) -> tuple[str, str]:
    """(student, page) of a name such as ``ada_attention.ipynb``; the longest page that fits."""
    for page in sorted(pages, key=len, reverse=True):
        for mark in "_-":
            if path.suffix in SUFFIXES and path.stem.endswith(mark + page):
                return path.stem.removesuffix(mark + page), page
    return "", ""


def _later(old: Path | None, new: Path) -> Path:
    return new if old is None or new.stat().st_mtime >= old.stat().st_mtime else old
