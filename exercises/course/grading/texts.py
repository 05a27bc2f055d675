"""The questions that a term asks again, as JSON: ``python -m grading.texts SEED PAGE [PAGE ...]``.

``make course`` asks the kit that it has just frozen, a teacher's own questions included.
"""

import json
import sys
from pprint import pformat
from typing import Any

import numpy as np

from minitx.checks import chapter

from .variants import Again, variants


def texts(page: str, seed: int) -> dict[str, dict[str, str]]:
    """{exercise: its text in the numbers of a seed, and its answer as Python}."""
    found = {}
    for name in (exercise.name for exercise in chapter(page)):
        again = variants(name)
        if isinstance(again, Again):
            numbers = again.numbers(name, seed)
            answer = pformat(plain(again.answer(*numbers)), width=80)
            found[name] = {"text": again.text(*numbers), "answer": answer}
    return found


def plain(value: Any) -> Any:
    """``value`` in Python's own numbers and lists, whose ``repr`` is exact."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


if __name__ == "__main__":
    seed, *pages = sys.argv[1:]
    print(json.dumps({page: texts(page, int(seed)) for page in pages}))
