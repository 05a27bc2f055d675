"""Text: reading, splitting, windows that train and windows that score."""

import itertools
import pydoc_data.topics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitx.data import Windows, bundled_prose, read_text, split


def test_the_bundled_prose_is_every_topic_in_order():
    prose = bundled_prose()
    topics = pydoc_data.topics.topics
    assert len(prose) == sum(map(len, topics.values())) + len(topics) - 1
    assert prose.startswith(topics[min(topics)])
    assert prose.endswith(topics[max(topics)])
    assert len(prose) > 300_000


def test_reading_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfna\xc3\xafve\r\nline\x85\xe2\x80\xa8".replace(b"\x85", b""))
    assert read_text(path) == "naïve\nline\u2028"


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, "found nothing"),
        (b"", ValueError, "empty file"),
        (b"abc\xff\xfe", ValueError, "byte 0xff at 3; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content, error, message, tmp_path):
    path = tmp_path / "b.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=rf"b\.txt.*{message}"):
        read_text(path)


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(IsADirectoryError, match="got a folder"):
        read_text(tmp_path)


def test_the_last_tenth_is_held_out():
    text = "".join(map(chr, range(100, 1137)))
    train, held = split(text)
    assert train + held == text
    assert len(held) == 104
    assert len(split(text, 0.25)[1]) == 259


@pytest.mark.parametrize("held_out", [0.0, 1.0, 0.01, -0.5, 1.5])
def test_both_parts_must_have_something(held_out):
    with pytest.raises(ValueError, match=f"both parts some of 7 .* {held_out}"):
        split("abcdefg", held_out)


def test_batches_are_windows_with_the_next_token_as_target():
    ids = np.random.default_rng(0).permutation(101)
    batch = next(Windows(ids, 13).batches(7, np.random.default_rng(5)))
    assert batch.inputs.shape == batch.targets.shape == batch.mask.shape == (7, 13)
    assert batch.inputs.dtype == np.int64
    assert batch.mask.all()
    place = np.argsort(ids)
    assert (place[batch.inputs] + 1 == place[batch.targets]).all()
    assert (np.diff(place[batch.inputs], axis=1) == 1).all()


def test_batches_reach_both_ends():
    windows = Windows(np.arange(10), 7)
    starts = {
        b.inputs[0, 0] for b in itertools.islice(windows.batches(1, np.random.default_rng(0)), 99)
    }
    assert starts == {0, 1, 2}
    assert windows.at([2])[1][0, -1] == 9


def test_the_state_of_the_generator_is_the_place_in_the_data():
    windows, rng = Windows(np.arange(1000), 11), np.random.default_rng(3)
    stream = windows.batches(5, rng)
    next(stream)
    state = rng.bit_generator.state
    after = [next(stream).inputs for _ in range(3)]
    rng = np.random.default_rng(99)
    rng.bit_generator.state = state
    again = [b.inputs for b in itertools.islice(windows.batches(5, rng), 3)]
    assert all((a == b).all() for a, b in zip(after, again))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_covering_counts_every_token_exactly_once(data):
    length = data.draw(st.integers(1, 9))
    count = data.draw(st.integers(length + 1, 60))
    first = data.draw(st.integers(1, count - 1))
    stride = data.draw(st.one_of(st.none(), st.integers(1, length)))
    windows = Windows(np.arange(count), length)
    seen = []
    for batch in windows.covering(data.draw(st.integers(1, 4)), first, stride):
        assert (batch.inputs + 1 == batch.targets).all()
        assert (np.diff(batch.inputs, axis=1) == 1).all()
        context = batch.inputs - batch.inputs[:, :1] + 1
        least = length - (stride or max(1, length // 2))
        assert (context[batch.mask] > np.minimum(least, batch.inputs[batch.mask])).all()
        seen += batch.targets[batch.mask].tolist()
    assert seen == list(range(first, count))


def test_covering_by_hand():
    (batch,) = Windows(np.arange(9), 4).covering(8, first=1, stride=2)
    assert batch.targets.tolist() == [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8]]
    assert batch.mask.astype(int).tolist() == [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Windows(np.arange(30), 64), ValueError, "text of 30 tokens .* window: 64 tokens"),
        (lambda: Windows(np.arange(64), 64), ValueError, "text of 64 tokens"),
        (lambda: Windows(np.arange(9), 0), ValueError, "length of 1 or more, got 0"),
        (lambda: Windows(np.ones(9), 2), TypeError, r"got \(9,\) of float64"),
        (lambda: Windows(np.ones((3, 3), int), 2), TypeError, r"got \(3, 3\)"),
        (lambda: next(Windows(np.arange(9), 4).covering(1, stride=5)), ValueError, "1 to 4, got 5"),
        (lambda: next(Windows(np.arange(9), 4).covering(1, first=0)), ValueError, "1 to 8, got 0"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
