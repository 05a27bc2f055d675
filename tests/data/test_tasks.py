"""Tasks made by rule: each answer worked out again by a loop, and the same from the same seed."""

import hashlib

import numpy as np
import pytest

from minitx.data import Addition, Copy, MultiQueryRecall, Parity, Recall, Reverse, Sort

TASKS = {
    "copy": Copy(7, 5),
    "reverse": Reverse(7, 5),
    "sort": Sort(7, 5),
    "parity": Parity(11),
    "parity_last": Parity(11, last_only=True),
    "addition": Addition(3),
    "addition_long": Addition(23, base=7, reverse=False),
    "recall": Recall(7, 5, 4),
    "recall_far": Recall(7, 5, 4, distance=3),
    "multi": MultiQueryRecall(7, 5, 11, 3),
    "multi_once": MultiQueryRecall(7, 5, 6, 4, overwrite=False),
    "multi_many": MultiQueryRecall(3, 5, 2, 9),
}


def after_sign(task):
    def answers(row, targets):
        x = row[: task.num_items].tolist()
        assert row[task.num_items] == task.num_symbols
        return {"Copy": x, "Reverse": x[::-1], "Sort": sorted(x)}[type(task).__name__]

    return answers


def parity(row, targets):
    return [sum(row[: t + 1].tolist()) % 2 for t in range(len(row))]


def addition(task):
    def answers(row, targets):
        step = -1 if task.reverse else 1
        plus, equals = row.tolist().index(task.base), row.tolist().index(task.base + 1)
        a, b = (
            sum(d * task.base**k for k, d in enumerate(part.tolist()[::-step]))
            for part in (row[:plus], row[plus + 1 : equals])
        )
        digits = [(a + b) // task.base**k % task.base for k in range(task.num_digits + 1)]
        return digits[::-step]

    return answers


def recall(task):
    def answers(row, targets):
        pairs = dict(zip(row[:-1:2].tolist(), row[1:-1:2].tolist()))
        assert len(pairs) == task.num_pairs
        place = list(pairs).index(int(row[-1]))
        assert task.distance in (None, task.num_pairs - place)
        return [pairs[int(row[-1])]]

    return answers


def multi(task):
    def answers(row, targets):
        memory = {}
        for k in range(0, 2 * task.num_writes, 2):
            memory[int(row[k])] = int(row[k + 1])
        sign = 2 * task.num_writes
        assert row[sign] == task.vocab_size - 1
        asked = row[sign + 1 :: 2].tolist()
        assert len(set(asked)) == min(task.num_queries, len(memory))
        assert task.overwrite or len(memory) == task.num_writes
        return [memory[key] for key in asked]

    return answers


def by_loop(task):
    kinds = {Addition: addition, Recall: recall, MultiQueryRecall: multi, Parity: lambda _: parity}
    return kinds.get(type(task), after_sign)(task)


@pytest.mark.parametrize("name", TASKS)
def test_every_answer_is_right(name):
    task = TASKS[name]
    batch = task.sample(101, np.random.default_rng(2))
    answers = by_loop(task)
    for row, targets, mask in zip(*batch):
        expected = answers(row, targets)
        assert targets[mask].tolist() == expected[-mask.sum() :]
        assert mask.sum() == (1 if name == "parity_last" else len(expected))


@pytest.mark.parametrize("name", TASKS)
def test_a_batch_is_next_tokens_of_the_declared_size(name):
    task = TASKS[name]
    inputs, targets, mask = task.sample(211, np.random.default_rng(3))
    assert inputs.shape == targets.shape == mask.shape == (211, task.length)
    assert inputs.dtype == targets.dtype == np.int64
    assert mask.dtype == bool
    both = np.concatenate([inputs.ravel(), targets[mask]])
    unused = 1 if isinstance(task, Addition) else 0  # the padding, of which full rows have none
    assert both.min() == 0
    assert both.max() == task.vocab_size - 1 - unused
    if not name.startswith("parity"):
        assert (inputs[:, 1:] == targets[:, :-1]).all()


HASHES = {
    "copy": "5db5ecde0d5ea601",
    "reverse": "0bd26407adbe2fcf",
    "sort": "5916483e860c800d",
    "parity": "cf73a1e3cb93af3b",
    "parity_last": "43a887a25b649cf9",
    "addition": "836151708c1fb94c",
    "addition_long": "ac7faedda90c91a8",
    "recall": "57749ccafa977405",
    "recall_far": "ebb08cc52db9c87f",
    "multi": "5bd822ffb5946f9e",
    "multi_once": "48820e50b3fdf451",
    "multi_many": "4f1ae37f8fcd21a2",
}


@pytest.mark.parametrize("name", TASKS)
def test_the_same_seed_gives_the_same_data_everywhere(name):
    first = TASKS[name].sample(17, np.random.default_rng(7))
    data = b"".join(array.astype("<i8").tobytes() for array in first)
    assert hashlib.sha256(data).hexdigest()[:16] == HASHES[name]
    other = TASKS[name].sample(17, np.random.default_rng(8))
    assert (other.inputs != first.inputs).any()


def test_given_sums():
    batch = Addition(2, reverse=False).written(np.array([19, 99]), np.array([5, 99]))
    assert batch.targets[batch.mask].reshape(2, 3).tolist() == [[0, 2, 4], [1, 9, 8]]
    assert batch.inputs[0].tolist() == [1, 9, 10, 0, 5, 11, 0, 2]


def test_overwriting_makes_old_values_wrong():
    """In a good part of the sequences the first value of a key asked for is not its last."""
    task = MultiQueryRecall(4, 9, 8, 4)
    inputs, targets, mask = task.sample(97, np.random.default_rng(0))
    stale = 0
    for row, answers, asked in zip(inputs, targets, mask):
        first = {}
        for k in range(0, 16, 2):
            first.setdefault(int(row[k]), int(row[k + 1]))
        stale += any(first[int(k)] != v for k, v in zip(row[17::2], answers[asked]))
    assert stale > 60


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Copy(0, 3), "num_symbols expected 1 or more, got 0"),
        (lambda: Parity(0), "num_bits expected 1 or more, got 0"),
        (lambda: Addition(0), "num_digits expected 1 or more"),
        (lambda: Addition(2).written(np.array([100]), np.array([1])), r"10\*\*2, got 100"),
        (lambda: Recall(3, 5, 4), "4 different keys expected as many, got 3"),
        (lambda: Recall(7, 5, 4, distance=5), "distance expected 1 to 4, got 5"),
        (lambda: MultiQueryRecall(3, 5, 4, 2, overwrite=False), "4 different keys"),
        (lambda: MultiQueryRecall(3, 5, 4, 0), "num_queries expected 1 or more"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
