"""Rows on threads: the same rows, no graph, and clear errors."""

import threading

import numpy as np
import pytest

from minitx.inference import on_rows
from minitx.models import Encoder

IDS = np.random.default_rng(0).integers(0, 31, (7, 5))
VALID = np.arange(5) < np.array([5, 3, 5, 1, 4, 5, 2])[:, None]


def encoder():
    return Encoder.bert(31, 12, 3, 2, 9, rng=0).eval()


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 20])
def test_the_same_rows_as_on_one_thread(threads):
    model, used = encoder(), set()

    def run(ids, valid):
        used.add(threading.current_thread().name)
        return model(ids, valid)

    y = on_rows(run, threads)(IDS, VALID)
    np.testing.assert_allclose(y.numpy(), model(IDS, VALID).numpy(), rtol=1e-5, atol=1e-6)
    assert not y.requires_grad
    assert (threading.current_thread().name in used) == (threads == 1)
    again = on_rows(run, threads)(IDS, VALID)
    assert (again.numpy() == y.numpy()).all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="threads of 1 or more, got 0"):
        on_rows(encoder(), 0)
    with pytest.raises(ValueError, match=r"as many rows each, got \[6, 7\]"):
        on_rows(encoder(), 2)(IDS, VALID[:6])


def test_an_error_in_a_thread_is_the_callers():
    with pytest.raises(IndexError):
        on_rows(encoder(), 2)(IDS + 100)
