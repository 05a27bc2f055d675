"""Which file is whose."""

import os

import pytest

from exercises.course.grading.inbox import submissions


def put(folder, name, age=0):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (10**9 - age, 10**9 - age))
    return path


def test_a_folder_for_each_student(tmp_path):
    ada = put(tmp_path, "Ada Lovelace/attention.ipynb")
    bo = put(tmp_path, "bo/deep/er/attention.py")
    put(tmp_path, "bo/notes.txt")
    put(tmp_path, "bo/.ipynb_checkpoints/positions.ipynb")
    (tmp_path / "cy").mkdir()
    assert submissions(tmp_path, ["attention", "positions"]) == {
        "Ada Lovelace": {"attention": ada, "positions": None},
        "bo": {"attention": bo, "positions": None},
        "cy": {"attention": None, "positions": None},
    }


def test_the_later_file_counts_and_an_exact_name_before_another(tmp_path):
    put(tmp_path, "ada/attention.ipynb", age=50)
    later = put(tmp_path, "ada/attention.py", age=20)
    put(tmp_path, "ada/my_attention.py", age=0)
    only = put(tmp_path, "bo/17-attention.ipynb")
    found = submissions(tmp_path, ["attention"])
    assert found == {"ada": {"attention": later}, "bo": {"attention": only}}


def test_files_side_by_side_and_pages_whose_names_end_alike(tmp_path):
    ada = put(tmp_path, "ada_decoder.py")
    bo = put(tmp_path, "bo_encoder_decoder.py")
    put(tmp_path, "grades.csv")
    assert submissions(tmp_path, ["decoder", "encoder_decoder"]) == {
        "ada": {"decoder": ada, "encoder_decoder": None},
        "bo": {"decoder": None, "encoder_decoder": bo},
    }


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    secret = put(tmp_path, "kept/attention.py")
    inbox = tmp_path / "inbox"
    (inbox / "eve").mkdir(parents=True)
    (inbox / "eve/attention.py").symlink_to(secret)
    (inbox / "mallory").symlink_to(secret.parent)
    assert submissions(inbox, ["attention"]) == {"eve": {"attention": None}}


def test_no_folder_and_an_empty_one_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="a folder for each student"):
        submissions(tmp_path / "nowhere", ["attention"])
    with pytest.raises(FileNotFoundError, match="expected work in"):
        submissions(tmp_path, ["attention"])
