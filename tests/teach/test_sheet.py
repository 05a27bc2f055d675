"""Grades as a table, feedback as pages."""

import csv

from exercises.course.grading import sheet


def report(exercise, points, total, message="Right."):
    questions = [
        {"text": "Is 1 < 2 & 3?", "points": points, "held": True},
        {"text": "Second", "points": total - points, "held": False if points else None},
    ]
    known = {"exercise": exercise, "title": "T", "points": points, "total": total}
    return known | {"message": message, "questions": questions}


GRADED = {
    "ada": [report("p/one", 3, 5), report("p/two", 2, 2)],
    "=1+1": [report("p/one", 0, 5, "p/one was not handed in."), report("p/two", 1, 2)],
    "../eve": [report("p/one", 4, 5, "<script>alert(1)</script> {total}"), report("p/two", 0, 2)],
}


def test_one_row_for_each_student(tmp_path):
    path = sheet.write(tmp_path, "spring", GRADED)
    with path.open(encoding="utf8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["student", "p/one", "p/two", "total", "out of", "remarks"],
        ["ada", "3", "2", "5", "7", ""],
        ["'=1+1", "0", "1", "1", "7", "not handed in: p/one"],
        ["../eve", "4", "0", "4", "7", ""],
    ]


def test_a_page_for_each_student_that_runs_nothing_and_leaves_no_folder(tmp_path):
    sheet.write(tmp_path / "out", "spring", GRADED)
    pages = {path.name: path.read_text("utf8") for path in tmp_path.rglob("*.html")}
    assert set(pages) == {"ada.html", "_1+1.html", "_eve.html"}
    assert not list(tmp_path.glob("*.html"))
    assert "5 of 7 points" in pages["ada.html"]
    assert "Is 1 &lt; 2 &amp; 3?: 3 of 3<" in pages["ada.html"]
    assert "Second: 0 of 2 (not yet)" in pages["ada.html"]
    assert "<script>" not in pages["_eve.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {total}" in pages["_eve.html"]


def test_students_whose_names_make_one_file_name_keep_a_page_each(tmp_path):
    graded = {name: [report("p/one", i, 5)] for i, name in enumerate(["a:b", "a/b", "a_b"], 1)}
    sheet.write(tmp_path, "spring", graded)
    assert len(list(tmp_path.rglob("*.html"))) == 3
