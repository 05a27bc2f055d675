"""Grades as one CSV file, and a page of feedback for each student."""

import csv
import html
import re
from pathlib import Path
from typing import Any

Report = dict[str, Any]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{term}: {student}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
.held::before {{ content: "\\2713  " }} .not::before {{ content: "\\2717  " }}
.unasked::before {{ content: "\\2013  " }} li {{ list-style: none }}
.said {{ border-left: .3em solid #767676; padding-left: 1em; white-space: pre-wrap }}
</style></head><body>
<h1>{student}</h1>
<p>{term}: <strong>{points} of {total} points</strong></p>
{sections}</body></html>
"""
SECTION = """<h2>{title} <small>({exercise})</small></h2>
<p>{points} of {total} points</p>
<ul>
{questions}</ul>
<p class="said">{message}</p>
"""


def write(folder: Path, term: str, graded: dict[str, list[Report]]) -> Path:
    """Write ``grades.csv`` and ``feedback/<student>.html`` into a folder; the CSV's path."""
    pages = folder / "feedback"
    pages.mkdir(parents=True, exist_ok=True)
    names = [report["exercise"] for report in next(iter(graded.values()))]
    sheet, written = folder / "grades.csv", set()
    with sheet.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", *names, "total", "out of", "remarks"])
        for student, reports in graded.items():
            points = {report["exercise"]: report["points"] for report in reports}
            earned, possible = totals(reports)
            row = [points[name] for name in names]
            rows.writerow([_cell(student), *row, earned, possible, _cell(remarks(reports))])
            page = feedback(term, student, reports)
            _unused(pages, student, written).write_text(page, "utf8")
    return sheet


def totals(reports: list[Report]) -> tuple[int, int]:
    """(points, of how many)."""
    return sum(r["points"] for r in reports), sum(r["total"] for r in reports)


def remarks(reports: list[Report]) -> str:
    """What a teacher should look at: work that is missing, cannot be read, or had to be stopped."""
    signs = {
        "was not handed in": "not handed in",
        "was not found": "not found",
        "still running": "had to be stopped",
        "came to an end": "ended Python",
        "more memory": "too much memory",
        "could not be judged": "look at it by hand",
    }
    found: dict[str, list[str]] = {}
    for report in reports:
        kinds = [remark for sign, remark in signs.items() if sign in report["message"]]
        if kinds and report["points"] < report["total"]:
            found.setdefault(kinds[0], []).append(report["exercise"])
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in found.items())


def feedback(term: str, student: str, reports: list[Report]) -> str:
    """The page for one student; what came from the student's code is text and nothing else."""
    earned, possible = totals(reports)
    return PAGE.format(
        term=html.escape(term),
        student=html.escape(student),
        points=earned,
        total=possible,
        sections="".join(map(_section, reports)),
    )


def _section(report: Report) -> str:
    marks = {True: "held", False: "not", None: "unasked"}
    words = {True: "", False: " (not yet)", None: " (not asked)"}
    questions = "".join(
        f'<li class="{marks[q["held"]]}">{html.escape(q["text"])}: '
        f"{q['points'] if q['held'] else 0} of {q['points']}{words[q['held']]}</li>\n"
        for q in report["questions"]
    )
    known = {key: html.escape(str(value)) for key, value in report.items() if key != "questions"}
    return SECTION.format(questions=questions, **known)


def _unused(folder: Path, student: str, names: set[str]) -> Path:
    """A file for a student under a name that no other has, in either case of its letters."""
    name = plain = re.sub(r"[^\w .@+-]", "_", student).strip(". ") or "_"
    while name.lower() in names:
        name = f"{plain} {len(names)}"
    names.add(name.lower())
    return folder / f"{name}.html"


def _cell(text: str) -> str:
    """A spreadsheet computes what begins like a formula: a quotation mark in front forbids it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
