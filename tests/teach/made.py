"""Submissions for page ``attention``, made to try the grader: {student: (text, points)}.

All are solutions with something appended, so that what is left alone earns what it deserves.
"""

import json

from minitx.checks import chapter

POINTS = {  # with the term's questions
    "by_hand": 4,
    "by_hand_again": 2,
    "attention": 8,
    "masks": 9,
    "heads": 6,
    "prediction": 4,
    "prediction_again": 2,
    "previous_token": 6,
}
FULL = sum(POINTS.values())

PARTLY = '''

def attention(q, k, v):
    """Right for one sequence; k.T turns the axes in front round, too."""
    return softmax(q @ k.T / np.sqrt(q.shape[-1])) @ v


def multi_head(q, k, v, num_heads):
    raise NotImplementedError
'''
CALLS = [exercise.call for exercise in chapter("attention")]
NOTHING = "".join(
    f"\n\ndef {call}:\n    return None\n"
    for call in (*CALLS, "by_hand_again()", "prediction_again()")
)
LOOP = """

def attention(q, k, v):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""
HUGE = """

def masked_attention(q, k, v, real):
    return np.ones((10**6, 10**6))
"""
GROWS = """

def masked_attention(q, k, v, real):
    held = []
    while True:
        held.append(bytearray(10**7))
"""
LEAVES = """
import os


def multi_head(q, k, v, num_heads):
    os._exit(0)
"""
OVERWRITTEN = (
    """
import minitx.checks
from minitx.checks import attention as checks, exercise, expect, guard

for module in (expect, checks.attention, checks.masks, checks.heads):
    module.expect_close = lambda *_, **__: None
    module.same = lambda *_: True
exercise.Exercise.report = lambda self, *_, **__: exercise.Report(self.name, (True,), 99, 99, "")
exercise.Failure = guard.Failure = KeyError
np.allclose = np.array_equal = lambda *_, **__: True
check_attention = check_masks = check_heads = lambda answer: "Right."
for place in ("grades.csv", "judged.jsonl", "../judged.jsonl"):
    try:
        open(place, "w").write("all points\\n")
    except OSError:
        pass
"""
    + NOTHING
)

RECORDER = """
TABLE = {table!r}


def stored(name, arguments):
    key = name + "".join(str(getattr(a, "tolist", lambda: a)()) for a in arguments)
    if key not in TABLE:
        return np.zeros_like(arguments[0]) if hasattr(arguments[0], "shape") else None
    found = TABLE[key]
    return tuple(map(np.array, found)) if isinstance(found, tuple) else np.array(found)

"""


def stored(solutions):
    """A submission that holds what the solutions return to the numbers of the reader's check."""
    table = {}
    names = ("attention", "masks", "heads", "previous_token")
    wanted = [it for it in chapter("attention") if it.name.split("/")[1] in names]
    text = ""
    for exercise in wanted:

        def recorded(*arguments, answer=solutions[exercise.answer], name=exercise.answer):
            key = name + "".join(str(getattr(a, "tolist", lambda a=a: a)()) for a in arguments)
            got = answer(*arguments)
            table[key] = tuple(x.tolist() for x in got) if isinstance(got, tuple) else got.tolist()
            return got

        recorded.__signature__ = None
        assert exercise.report(_plain(recorded, exercise), seed=0).passed
        parameters = exercise.call.partition("(")[2].rstrip(")")
        text += f"\ndef {exercise.call}:\n    return stored({exercise.answer!r}, [{parameters}])\n"
    for name in ("by_hand", "prediction"):
        text += f"\ndef {name}_again():\n    return {name}()\n"
    return RECORDER.format(table=table).replace("nan", "np.nan") + text


def _plain(function, exercise):
    """``function`` with the signature that the exercise asks for."""
    if exercise.call.count(",") == 0:
        return lambda T: function(T)
    if exercise.call.count(",") == 2:
        return lambda q, k, v: function(q, k, v)
    return lambda q, k, v, last: function(q, k, v, last)


def submissions(right, stub, solutions):
    """{student: (file name, content, points that it deserves for page attention)}."""
    most = POINTS
    return {
        "right": ("attention.py", right, FULL),
        "partly": ("attention.py", right + PARTLY, FULL - 3 - most["heads"]),
        "wrong": ("attention.py", right + NOTHING, 0),
        "stub": ("attention.py", stub, 0),
        "empty": ("attention.py", "", 0),
        "no notebook": ("attention.ipynb", "", 0),
        "not text": ("attention.py", b"\xff\xfe\x00\x01", 0),
        "syntax": ("attention.py", right + "\ndef (:\n", 0),
        "loop": ("attention.py", right + LOOP, FULL - most["attention"]),
        "loop at the top": ("attention.py", "while True:\n    pass\n" + right, 0),
        "huge": ("attention.py", right + HUGE, FULL - most["masks"]),
        "grows": ("attention.py", right + GROWS, FULL - most["masks"]),
        "leaves": ("attention.py", right + LEAVES, FULL - most["heads"]),
        "overwritten": ("attention.py", right + OVERWRITTEN, 0),
        "stored": ("attention.py", right + stored(solutions), None),
    }


def notebook(text):
    """A notebook of one cell."""
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "id": "one"}
    cell["execution_count"] = None
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
