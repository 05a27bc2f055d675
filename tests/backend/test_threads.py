"""How many threads a matrix product uses: asked, changed, and put back."""

import os
import sys

import numpy as np
import pytest

from minitx.backend import threads


def test_cores_are_those_of_this_process():
    assert threads.cores() >= 1
    if hasattr(os, "sched_getaffinity"):
        assert threads.cores() == len(os.sched_getaffinity(0))


def count():
    get, _ = threads._calls()
    return get()


needs_blas = pytest.mark.skipif(threads._calls() is None, reason="NumPy's BLAS cannot be asked")


@needs_blas
def test_the_number_holds_inside_and_is_put_back():
    before = count()
    with threads.blas_threads(1) as possible:
        assert possible is True
        assert count() == 1
        with threads.blas_threads(2):
            assert count() == 2
        assert count() == 1
    assert count() == before


@needs_blas
def test_it_is_put_back_after_an_error():
    before = count()
    with pytest.raises(ZeroDivisionError), threads.blas_threads(before + 1):
        1 / (count() - before - 1)
    assert count() == before


def test_where_blas_cannot_be_asked_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(threads, "_calls", lambda: None)
    with threads.blas_threads(1) as possible:
        assert possible is False
        assert np.ones((2, 3)).dot(np.ones(3)).tolist() == [3, 3]


def test_a_browser_has_no_threads(monkeypatch):
    assert threads.can_start_threads()
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert not threads.can_start_threads()
