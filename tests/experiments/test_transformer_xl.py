"""The memory of segments: what it carries, how far, and what it does not."""

import numpy as np

from minitx import functional as F
from minitx.experiments.positions.transformer_xl import (
    SEGMENT,
    accuracy_by_distance,
    by_segments,
    recall,
    transformer_xl,
)


def model(memory):
    return transformer_xl(13, 20, 2, memory, np.random.default_rng(0))


def test_the_task_says_what_was_written_and_how_long_ago():
    batch = recall(9, np.random.default_rng(1))
    for ids, values, distance in zip(*batch):
        for place, ago in enumerate(distance):
            if place < 4:
                assert ago == 0
                continue
            written = ids[place - ago]
            assert ids[place - ago - 1] == ids[place]  # the key stands before its value
            assert written - 4 == values[place]
            assert place - ago in (1, 3)


def test_a_memory_that_is_too_short_is_not_one_pass():
    ids = np.random.default_rng(2).integers(13, size=(2, 45))
    whole = model(45)(ids).numpy()
    assert np.abs(by_segments(model(45), ids) - whole).max() < 1e-5
    assert np.abs(by_segments(model(7), ids) - whole).max() > 1e-3


def test_reach_grows_by_one_memory_for_each_layer():
    """Three layers hear three memories back, and not a token more."""
    ids = np.random.default_rng(3).integers(12, size=(1, 5 * SEGMENT))
    other = ids.copy()
    other[0, 0] = 12
    change = by_segments(model(SEGMENT), other) - by_segments(model(SEGMENT), ids)
    changed = np.abs(change).max(-1)[0] > 0
    assert changed[: 4 * SEGMENT].all()
    assert not changed[4 * SEGMENT :].any()
    change = by_segments(model(0), other) - by_segments(model(0), ids)
    changed = np.abs(change).max(-1)[0] > 0
    assert changed[:SEGMENT].all()
    assert not changed[SEGMENT:].any()


def test_no_gradient_flows_into_the_memory():
    xl = model(SEGMENT)
    first, second = np.full((1, SEGMENT), 12), np.arange(SEGMENT)[None] % 5
    _, state = xl.step(first, xl.init_state(1))
    logits, _ = xl.step(second, state)
    F.sum(logits * logits).backward()
    gradient = xl.tokens.weight.grad.numpy()
    assert np.abs(gradient[:5]).max() > 0
    assert np.abs(gradient[12]).max() == 0


def test_an_untrained_model_guesses():
    found = accuracy_by_distance(transformer_xl(12, 20, 2, SEGMENT, np.random.default_rng(0)))
    assert found.shape == (3 * SEGMENT,)
    assert found[24:41].mean() < 0.3
