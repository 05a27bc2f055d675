"""What travels between a student's code and the judge, and what must not."""

import base64
import io
import json
import math
from fractions import Fraction

import numpy as np
import pytest

from exercises.course.grading.stand_ins import ProcessEnded
from exercises.course.grading.wire import Peer
from minitx.checks.expect import describe


def over(line, function):
    """``function``, living at the other end, as this end sees it."""
    here, other = line
    return here.unpack(other.pack(function))


VALUES = [
    None,
    True,
    -7,
    10**40,
    2.5,
    math.inf,
    "Ελ",
    [1, [2.0, "three"]],
    (1, (2, ())),
    {"a": (1,), 2: [3]},
    {1, 2},
    range(2, 11, 3),
    1 - 2j,
    np.float32(0.1),
    np.int64(-3),
    np.bool_(True),
    np.arange(6.0).reshape(2, 3),
    np.zeros((0, 5)),
    np.array(7, dtype=np.int16),
    np.array([[True, False]]),
    np.array([1 + 2j]),
    np.arange(30.0).reshape(5, 6)[::2, 1::3],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: describe(value))
def test_values_come_back_as_they_were(line, value):
    got = over(line, lambda x: [x])(value)[0]
    assert type(got) is type(value)
    if isinstance(value, np.ndarray | np.generic):
        assert (got.dtype, got.shape) == (value.dtype, value.shape)
        assert np.array_equal(got, value)
    else:
        assert got == value


def test_a_fraction_comes_as_the_number_that_it_is(line):
    assert over(line, lambda: [Fraction(7, 200)])() == [0.035]


def test_an_array_keeps_its_strides(line):
    x = np.arange(40.0)[::3]
    assert over(line, lambda x: x.strides)(x) == (24,)
    assert over(line, lambda x: x[::-1])(x).tolist() == x[::-1].tolist()


def test_a_view_of_an_argument_comes_back_as_a_view_of_it(line):
    def windows(x):
        return np.lib.stride_tricks.sliding_window_view(x, 3)

    x = np.arange(50.0)[::2]
    got = over(line, windows)(x)
    assert np.array_equal(got, windows(x))
    assert np.shares_memory(got, x)
    assert not got.flags.writeable
    assert not np.shares_memory(over(line, lambda x: x + 0)(x), x)


def test_a_huge_view_of_few_numbers_is_sent_as_a_view(line):
    got = over(line, lambda x: np.broadcast_to(x, (10**9, 5)))(np.arange(5.0))
    assert got.shape == (10**9, 5)
    assert got[123].tolist() == [0, 1, 2, 3, 4]


def test_functions_are_called_where_they_live_both_ways(line):
    seen = []

    def norm(x):
        seen.append("here")
        return x / 2

    twice = over(line, lambda x, f: f(f(x=x)))
    assert twice(np.array([8.0]), norm).tolist() == [2.0]
    assert seen == ["here", "here"]
    assert over(line, lambda f: f)(norm) is norm
    assert over(line, lambda: abs)()(-3) == 3


def test_objects_stay_where_they_are_and_keep_their_name(line):
    class State:
        def __init__(self, total):
            self.total = total

    step = over(line, lambda x, state: (x, State((state.total if state else 0) + x)))
    _, state = step(3, None)
    assert describe(state) == "a State"
    assert not callable(state)
    _, state = step(4, state)
    assert over(line, lambda state: state.total)(state) == 7


def test_a_signature_is_told():
    from minitx.checks.guard import refusal

    peer = Peer(io.BytesIO(), io.BytesIO())
    function = peer.unpack(peer.pack(lambda q, k, scale=1: 0))
    assert refusal(function, "f(q, k)") is None
    assert "expected a function that is called as f(q)" in refusal(function, "f(q)")


def test_a_change_of_an_argument_is_seen(line):
    def center(x, y):
        x -= x.mean()
        return x

    x, y = np.array([1.0, 3.0]), np.array([5.0])
    got = over(line, center)(x, y)
    assert x.tolist() == [-1, 1]
    assert y.tolist() == [5]
    assert got.tolist() == [-1, 1]


def test_a_change_inside_of_a_list_is_seen_and_a_view_from_there_is_one(line):
    def halve(weights, state):
        weights[1] *= 0.5
        return state["keys"][1][1:]

    weights, keys = [np.ones(2), np.full(3, 8.0)], np.arange(5.0)
    got = over(line, halve)(weights, {"keys": (0, keys)})
    assert weights[1].tolist() == [4, 4, 4]
    assert weights[0].tolist() == [1, 1]
    assert got.tolist() == [1, 2, 3, 4]
    assert np.shares_memory(got, keys)


def test_a_state_that_grows_in_the_function_grows_here(line):
    begin = over(line, lambda: ([1], {"first": 1}, {"a", "b"}))

    def step(x, keys, seen, names):
        keys.append(x)
        seen["last"] = x
        names.discard("a")
        return sum(keys)

    keys, seen, names = begin()
    far = over(line, step)
    assert [far(x, keys, seen, names) for x in (2, 3)] == [3, 6]
    assert (keys, seen, names) == ([1, 2, 3], {"first": 1, "last": 3}, {"b"})


def test_a_question_cannot_be_changed_until_the_answer_is_right(line):
    merges, weights = [("a", "n")], [np.ones(2)]

    def cheats(merges, weights):
        merges.clear()
        weights.clear()
        return merges

    assert over(line, cheats)(merges, weights) == []
    assert (merges, len(weights)) == ([("a", "n")], 1)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ZeroDivisionError("by zero"), ZeroDivisionError),
        (NotImplementedError(), NotImplementedError),
        (SystemExit(3), SystemExit),
        (UnicodeDecodeError("utf8", b"x", 0, 1, "why"), UnicodeDecodeError),
        (type("Own", (Exception,), {})("mine"), Exception),
        (StopIteration(1), StopIteration),
    ],
)
def test_errors_keep_their_name_and_the_line_stays_usable(line, raised, kind):
    def fails(x):
        raise raised

    with pytest.raises(kind) as caught:
        over(line, fails)(1)
    assert type(caught.value).__name__ == type(raised).__name__
    assert over(line, lambda x: x + 1)(1) == 2


def test_a_result_that_cannot_travel_is_an_error_of_its_function(line):
    knot = []
    knot.append(knot)
    with pytest.raises(RecursionError):
        over(line, lambda: knot)()
    with pytest.raises(MemoryError, match="64 MiB"):
        over(line, lambda: np.arange(10**7, dtype=float))()
    assert over(line, lambda: 5)() == 5


RAW = base64.b64encode(np.arange(3.0).tobytes()).decode()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"points: 100\n",
        b"[1]\n",
        b'{"valu',
        b"9" * 5000 + b"\n",
        *[
            json.dumps(line).encode() + b"\n"
            for line in (
                {},
                {"value": {"pickle": "gASVAAAA"}},
                {"value": {"tuple": 5}},
                {"value": {"array": ["|O", [1], [8], RAW]}},
                {"value": {"array": ["<f8", [10**9], [8], RAW]}},
                {"value": {"view": [0, 8, "<f8", [3], [8], True]}},
                {"value": {"view": [0, -8, "<f8", [1], [8], True]}},
                {"value": {"view": [0, 0, "|O", [1], [8], True]}},
                {"value": {"view": [4, 0, "<f8", [1], [8], True]}},
                {"value": {"yours": 10**6}},
                {"value": {"mine": 0, "type": "\0", "calls": True, "parameters": None}},
                {"call": 10**6, "arguments": [], "named": {"dict": []}},
                {"value": 1, "changed": 3},
            )
        ],
    ],
)
def test_nonsense_on_the_line_ends_it_and_nothing_else(said):
    peer = Peer(io.BytesIO(said), io.BytesIO())
    with pytest.raises(Exception) as caught:
        peer.call(0, (np.arange(3.0),), {})
    assert isinstance(caught.value, Exception)
    if b"call" not in said:
        assert peer.lost is caught.value
        with pytest.raises(type(caught.value)):
            peer.call(0, (), {})


def test_a_process_that_has_gone_is_said_to_be_gone():
    with pytest.raises(ProcessEnded, match="Python itself came to an end"):
        Peer(io.BytesIO(), io.BytesIO()).call(0, (), {})
