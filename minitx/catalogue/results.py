"""What was measured for the trained parts (``results.json``), and whether it is still true.

``{key: {number: result}}``; a result has ``passed``, ``measures`` (name, value, comparator,
threshold, the value of each seed), ``seeds``, ``seconds``, ``machine`` and ``hash``, a fingerprint
of the experiment's file and of the files of the row's code. When one of these files has changed,
or the row asks for something else, the result is stale.
"""

import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from minitx.catalogue.rows import Paper, Part

FILE = Path(__file__).with_name("results.json")


def read(file: Path | None = None) -> dict[str, dict[str, Any]]:
    """All results; none where there is no file yet."""
    file = file or FILE
    return json.loads(file.read_text("utf8")) if file.exists() else {}


def write(paper: Paper, part: Part, result: dict[str, Any], file: Path | None = None) -> None:
    """Put one result into the file; the file is replaced whole, never left half written."""
    file = file or FILE
    results = read(file)
    results.setdefault(paper.key, {})[str(part.number)] = result
    new = file.with_suffix(".new")
    new.write_text(_as_text(results), encoding="utf8", newline="\n")
    os.replace(new, file)


def _as_text(results: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each part, in the order of keys and numbers."""
    rows = []
    for key, parts in sorted(results.items()):
        lines = [f'  "{n}": {json.dumps(parts[n], ensure_ascii=False)}' for n in sorted(parts)]
        rows.append(f' "{key}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def wanted(part: Part) -> list[dict[str, Any]]:
    """What a part asks for, in the words of the results file."""
    return [
        {"name": m.name, "comparator": m.comparator, "threshold": m.threshold}
        | ({"tolerance": m.tolerance} if m.comparator == "~" else {})
        | ({"unit": m.unit} if m.unit else {})
        for m in part.measures
    ]


def stale(paper: Paper, part: Part, results: dict[str, Any]) -> str | None:
    """Why the recorded result does not speak of the code and row as they are; None when it does."""
    result = results.get(paper.key, {}).get(str(part.number))
    if result is None:
        return "no result is recorded"
    measured = {"value", "by_seed"}
    asked = [{k: m[k] for k in m if k not in measured} for m in result["measures"]]
    if asked != wanted(part):
        return "the row asks for something else than what was measured"
    if result["seeds"] != list(part.seeds):
        return f"it was measured with the seeds {result['seeds']}, the row has {list(part.seeds)}"
    if result["hash"] != fingerprint(paper):
        return "the experiment's file or the idea's file has changed since it was measured"
    return None


def fingerprint(paper: Paper) -> str:
    """A hash of the text of the experiment's file and of the files of the row's code."""
    modules = {experiment(paper)}
    modules |= {name.partition(":")[0] for name in paper.code}
    digest = hashlib.sha256()
    for module in sorted(modules):
        path = file_of(module)
        if path is None:
            raise FileNotFoundError(f"{paper.key}: there is no module {module}")
        text = path.read_text("utf8")  # with \n for the line endings of any system
        digest.update(f"{module}\n{text}\0".encode())
    return digest.hexdigest()[:16]


def experiment(paper: Paper) -> str:
    """The name of the module of a row's experiment."""
    return f"minitx.experiments.{paper.chapter}.{paper.key}"


def file_of(module: str) -> Path | None:
    """The file of a module, without importing it; None when there is none."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # a package above it is not there
        return None
    return Path(spec.origin) if spec and spec.origin else None
