"""Reading what a reader has written: a Python file or a Jupyter notebook, imported as a module.

A cell that breaks ends the reading with a sentence; what was defined before it can be checked.
"""

import importlib.abc
import importlib.util
import json
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from minitx.checks.exercise import GIGABYTES, reading
from minitx.checks.limits import TimeUp, memory_limit, time_limit
from minitx.errors import UserError

SECONDS = 90.0  # for all that a file does at its top level: a page may take a minute

MAGIC = re.compile(r"^( *)[%!?].*$|^( *)\w[\w.]*\?+$", re.M)


class FileLoader(importlib.abc.ExecutionLoader):
    """Loads a ``.py`` or ``.ipynb`` file from its source, and writes no byte code beside it."""

    def __init__(self, path: Path):
        self.path, self.text = path, source(path)

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_filename(self, fullname: str) -> str:
        # a name that is no file: a traceback then shows the cells, and not the lines of JSON
        return f"<{self.path.name}>" if self.path.suffix == ".ipynb" else str(self.path)


def source(path: Path) -> str:
    """The Python source of a file; a notebook's code cells one after the other, without magics."""
    if path.suffix not in (".py", ".ipynb"):
        raise UserError(f"expected a .py or .ipynb file, got {path}")
    try:
        text = path.read_text("utf-8-sig")
        return _cells(json.loads(text)) if path.suffix == ".ipynb" else text
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise UserError(f"expected a .py or .ipynb file, got the folder {path}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is not a notebook that can be read: save it again") from None


def _cells(notebook: dict[str, Any]) -> str:
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    python = [cell for cell in cells if not cell.lstrip().startswith("%%")]
    return "\n\n".join(MAGIC.sub(r"\1\2pass", cell) for cell in python) + "\n"


def read(path: Path, seconds: float = SECONDS) -> tuple[dict[str, Any], str]:
    """(what the file defines, what went wrong while it was read, or nothing)."""
    loader = FileLoader(path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("answers", loader))
    sys.modules["answers"] = module  # dataclasses look their module up
    sys.path.append(str(path.parent.resolve()))  # its neighbours can be imported, and shadow nobody
    try:
        with reading(), memory_limit(GIGABYTES), time_limit(seconds):
            loader.exec_module(module)
    except SyntaxError as error:
        line = (error.text or "").strip()
        return {}, f"{path.name} is not valid Python ({error.msg}, line {error.lineno}: `{line}`)."
    except TimeUp:
        return vars(module), _stopped(path, f"was still running after {seconds:g} seconds")
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == loader.get_filename("")]
        where = f" at `{own[-1].line}`" if own else ""
        what = f"raised {type(error).__name__}: {str(error) or 'no text'}"
        return vars(module), _stopped(path, f"{what}{where}")
    return vars(module), ""


def _stopped(path: Path, what: str) -> str:
    return f"{path.name} {what}. Only what it defines before that is checked."
