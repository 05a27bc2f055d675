"""Copies of this process: what they answer, what they share, and how a failure comes out."""

import gc
import os
import signal
import time

import numpy as np
import pytest

from minitx.backend.processes import Copy, can_fork, shared

pytestmark = pytest.mark.skipif(not can_fork(), reason="needs Linux's fork")


def children():
    """The processes of this one that are still there."""
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
        return set(file.read().split())


def test_arrays_go_there_and_come_back_as_they_are():
    copy = Copy(lambda arrays: [*arrays[::-1], np.array(os.getpid())])
    given = [np.arange(6.0).reshape(2, 3).T, np.array(True), np.empty((0, 4), np.float32)]
    for _ in range(2):
        copy.ask(given)
        *found, where = copy.answer()
        assert where != os.getpid()
        for a, b in zip(given, found[::-1], strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_array_equal(a, b)


def test_more_than_a_pipe_holds_goes_both_ways():
    copy = Copy(lambda arrays: [2 * arrays[0]])
    large = np.arange(1_000_000)
    copy.ask([large])
    np.testing.assert_array_equal(copy.answer()[0], 2 * large)


def test_a_copy_keeps_what_was_here_when_it_was_made():
    held = [1]
    copy = Copy(lambda _: [np.array(held[0])])
    held[0] = 2
    copy.ask([])
    assert copy.answer()[0] == 1


def test_shared_arrays_are_seen_on_both_sides():
    number, matrix = shared([np.zeros((), np.float32), np.zeros((3, 5))])
    assert number.dtype == np.float32 and matrix.shape == (3, 5)

    def double(_):
        matrix[...] = 2 * matrix + number
        return []

    copy = Copy(double)
    matrix[...], number[...] = 4.0, 1.0
    copy.ask([])
    copy.answer()
    assert (matrix == 9.0).all() and number == 1.0


def test_a_failure_comes_out_and_the_copy_goes_on():
    copy = Copy(lambda arrays: [1 / arrays[0]] if arrays else 1 / 0)
    copy.ask([])
    with pytest.raises(RuntimeError, match=r"(?s)copy of this process failed.*ZeroDivisionError"):
        copy.answer()
    copy.ask([np.array(4.0)])
    assert copy.answer()[0] == 0.25


def test_a_copy_that_is_not_listened_to_ends_all_the_same():
    before = children()
    copy = Copy(lambda _: [np.zeros(1_000_000)])
    copy.ask([])  # its answer does not fit into the pipe, and nobody takes it
    assert children() - before
    del copy
    gc.collect()
    assert children() <= before


def test_a_copy_that_was_killed_is_named():
    before = children()
    copy = Copy(lambda arrays: [np.zeros(3)])
    (child,) = children() - before
    os.kill(int(child), signal.SIGKILL)
    os.waitpid(int(child), 0)
    with pytest.raises(RuntimeError, match="has ended: killed"):
        copy.ask([np.zeros(3)])
    with pytest.raises(RuntimeError, match="has ended: killed"):
        copy.answer()


def test_a_copy_in_an_endless_loop_ends_at_once():
    before = children()
    copy = Copy(lambda arrays: [] if arrays else [None for _ in iter(int, 1)])
    copy.ask([])
    start = time.monotonic()
    del copy
    gc.collect()
    assert time.monotonic() - start < 5 and children() <= before


def test_a_process_that_somebody_else_forks_ends_no_copy():
    copy = Copy(lambda arrays: arrays)
    child = os.fork()
    if not child:
        del copy
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    copy.ask([np.ones(2)])
    np.testing.assert_array_equal(copy.answer()[0], 1.0)
