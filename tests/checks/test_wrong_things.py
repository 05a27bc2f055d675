"""A check that is given the wrong thing says so in one paragraph, and ends."""

import contextlib
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from minitx import Tensor
from minitx.checks import CheckFailed
from minitx.checks.attention import check_attention, check_by_hand, check_prediction
from minitx.checks.attention.oracle import softmax
from minitx.checks.start import check_bits


def right(q, k, v):
    return softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])) @ v


def test_whole_numbers_are_numbers_where_a_pencil_writes_them():
    """Judged by what they say, whether in lists or in an array of integers."""
    lists = [[[1, 0, 0]] * 3, [[12, 0]] * 3]
    by_lists = told(lambda: lists, check_by_hand)
    assert told(lambda: [np.array(x) for x in lists], check_by_hand) == by_lists
    assert "int64" not in by_lists


def told(answer, exercise=check_attention, **how):
    report = exercise.report(answer, **how)
    assert not report.passed
    assert "\n" not in report.message
    assert len(report.message) < 700
    return report.message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("attention", "the string 'attention': give the function itself"),
        (None, "got None"),
        (3.5, "got a float"),
        (np.zeros((3, 7)), "got an array of shape (3, 7): give the function itself"),
        (lambda q, k: q, "called as attention(q, k, v); yours takes (q, k)"),
        (lambda: 0, "yours takes ()"),
    ],
)
def test_no_function_of_the_right_kind(given, says):
    assert says in told(given)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "returned None (is there a `return`?)"),
        ("weights", "returned the string 'weights'"),
        ([[1.0]], "returned a list"),
        (np.zeros((2, 2)), "should return the shape (3, 7), and returned (2, 2)"),
        (np.zeros((3, 7), dtype=int), "real numbers (float64), and returned int64"),
        (np.zeros((3, 7), dtype=complex), "returned complex128"),
        (np.full((3, 7), None), "returned object"),
        (np.full((3, 7), np.nan), "The result is NaN at index [0, 0]"),
        (np.full((3, 7), np.inf), "The result is infinite at index [0, 0]"),
        (Tensor(np.zeros((3, 7))), "returned a Tensor"),
        ((np.zeros((3, 7)), 0), "returned a tuple of 2"),
        ((i for i in range(3)), "returned a generator"),
        (lambda: 0, "returned a function"),
    ],
)
def test_a_wrong_result(result, says):
    assert says in told(lambda q, k, v: result)


def test_a_result_that_is_nearly_right():
    assert "result is float32" in told(lambda q, k, v: right(q, k, v).astype(np.float32))
    message = told(lambda q, k, v: right(q, k, v) * (1 + 1e-6))
    expected, got = message.split("Expected ")[1].rstrip(".").split(", got ")
    assert expected.split()[0] != got  # enough digits to see the difference


def test_in_a_browser_the_page_s_stop_button_is_the_limit(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    for name in ("setitimer", "SIGALRM"):
        monkeypatch.delattr(signal, name, raising=False)
    monkeypatch.setattr(threading.Thread, "start", None)
    assert check_attention.report(right, seconds=1e-9).passed


def test_a_tracer_and_a_handler_of_somebody_else_come_back():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    handler = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    sys.settrace(tracer)
    try:
        told(for_ever, seconds=0.2)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    if handler is not None:
        assert signal.getsignal(signal.SIGALRM) is handler


def test_an_exception_names_the_line():
    def divides(q, k, v):
        return q[0, 0] / len(k[1:]) + {}[1]

    message = told(divides)
    assert "raised KeyError: 1" in message or "ZeroDivisionError" in message
    assert "`return q[0, 0] / len(k[1:]) + {}[1]`" in message


def test_a_function_that_prints_in_place_of_returning():
    def prints(q, k, v):
        print(right(q, k, v))

    assert "write `return` for `print`" in told(prints)


def test_a_right_function_may_print_and_hears_of_it(capsys):
    def prints(q, k, v):
        print("here", q.shape, "x" * 10**6)
        return right(q, k, v)

    report = check_attention.report(prints)
    assert report.passed
    assert "also prints 'here (3, 5)" in report.message
    assert len(report.message) < 400
    assert capsys.readouterr().out == ""


def test_a_function_that_changes_its_argument():
    def changes(q, k, v):
        q /= np.sqrt(q.shape[-1])
        return softmax(q @ np.swapaxes(k, -1, -2)) @ v

    assert "changes its argument number 1 in place" in told(changes)


def test_recursion_memory_and_exit():
    def again(q, k, v):
        return again(q, k, v)

    def huge(q, k, v):
        return np.ones((10**9, 10**9)) @ q

    def leaves(q, k, v):
        sys.exit("done")

    assert "calls itself without end" in told(again)
    assert "more memory" in told(huge)
    assert "np.ones((10**9, 10**9))" in told(huge)
    assert "calls exit()" in told(leaves)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited on Linux only")
def test_memory_that_is_taken_bit_by_bit():
    def hoards(q, k, v):
        kept = []
        while True:
            kept.append(np.zeros(2**25))

    assert "more memory" in told(hoards, seconds=60.0)


def for_ever(q, k, v):
    while True:
        pass


def asleep(q, k, v):
    time.sleep(60)


def stubborn(q, k, v):
    while True:
        try:  # noqa: SIM105
            sum(range(1000))
        except:  # noqa: E722, the mistake that is meant
            pass


def suppressing(q, k, v):
    while True:
        with contextlib.suppress(BaseException):
            sum(range(1000))


def test_what_is_ended_may_clear_up():
    cleared = []

    def tidy(q, k, v):
        with np.errstate(over="raise"), contextlib.ExitStack() as stack:
            stack.callback(cleared.append, "left")
            try:
                for_ever(q, k, v)
            finally:
                cleared.append("first")

    before = np.geterr()
    assert "still running" in told(tidy, seconds=0.2)
    assert cleared == ["first", "left"]
    assert np.geterr() == before
    assert sys.exception() is None


def in_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return found[0]


ON_UNIX = [asleep] if hasattr(signal, "setitimer") else []  # elsewhere a sleep is slept out


@pytest.mark.parametrize("answer", [for_ever, stubborn, suppressing, *ON_UNIX])
def test_a_loop_that_never_ends_is_ended(answer):
    start = time.monotonic()
    assert "still running after 0.3 seconds" in told(answer, seconds=0.3)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("answer", [for_ever, stubborn, suppressing])
def test_it_is_ended_outside_of_the_main_thread_too(answer):
    message = in_a_thread(lambda: told(answer, seconds=0.3))
    assert "still running after 0.3 seconds" in message


def test_nothing_arrives_after_the_time_limit_is_left():
    def work():
        for _ in range(20):
            assert check_attention.report(right, seconds=5.0).passed
        time.sleep(0.2)
        return True

    assert in_a_thread(work)


def test_warnings_of_a_right_function_are_nobody_s_business():
    def warns(probabilities):
        warnings.warn("look out", stacklevel=1)
        with np.errstate(divide="warn"):
            return -np.mean(np.log2(probabilities))

    assert check_bits.report(warns).passed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (([[1, 2], [3]], 0), "the weights expected numbers of shape (3, 3)"),
        (([["a"] * 3] * 3, 0), "got something else, or rows of unequal length"),
        (("weights", "outputs"), "returned the string 'weights'"),
        ({"weights": 1}, "two tables"),
        ((np.eye(3), [[1, 2]] * 3), "A weight is off"),
    ],
)
def test_numbers_by_hand(given, says):
    assert says.lower() in told(lambda: given, check_by_hand).lower()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("one some all", "it returned the string 'one some all'"),
        (("one", "some"), "it returned one, some."),
        (("one", "some", "most"), "it returned one, some, most."),
        ((np.zeros(2), 1, 2), "it returned a tuple of 3"),
    ],
)
def test_words(given, says):
    assert says in told(lambda: given, check_prediction)


class Stumbling:
    """Nearly an array."""

    def __array__(self, *arguments, **how):
        raise OverflowError("no\nuse")


def test_what_no_expectation_foresaw_is_told_as_well():
    assert "stumbled over what your function returned (OverflowError: no use)" in told(
        lambda *qkv: Stumbling()
    )


def test_a_check_is_one_line_when_right_and_raises_when_wrong():
    insight = check_attention(right)
    assert repr(insight) == str(insight)  # a notebook shows it without quotation marks
    assert check_attention.insight in insight
    with pytest.raises(CheckFailed, match="shape") as caught:
        check_attention(lambda q, k, v: q[:1])
    assert caught.value._render_traceback_() == [str(caught.value)]
    assert isinstance(caught.value, AssertionError)
