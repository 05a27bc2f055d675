"""Masks: each rule against a loop, and what composes."""

import numpy as np
import pytest

from minitx.token_mixers import Causal, NotAfter, Padding, Prefix, Same, Window
from minitx.token_mixers.masks import Given, Pairs, as_mask, resolve

B, T, S = 2, 5, 8  # the queries are the last 5 of 8 keys


def pairs(coords_q=None, coords_k=None, T=T, S=S):
    return Pairs(T, S, coords_q, coords_k, np)


def full(mask, p=None):
    p = p or pairs()
    return np.broadcast_to(mask.allowed(p), (B, 3, p.T, p.S))


def loop(rule):
    """rule(b, query, key) with both counted in the order of the keys."""
    return np.array(
        [[[[rule(b, t + S - T, s) for s in range(S)] for t in range(T)] for _ in range(3)]
         for b in range(B)]
    )  # fmt: skip


VALID = np.arange(S) >= np.array([[0], [3]])

CASES = [
    (Causal(), lambda b, t, s: s <= t),
    (Window(3), lambda b, t, s: abs(s - t) < 3),
    (Prefix(6), lambda b, t, s: s <= t or s < 6),
    (Prefix(np.array([5, 7])), lambda b, t, s: s <= t or s < (5, 7)[b]),
    (Padding(VALID), lambda b, t, s: VALID[b, s]),
    (Causal() & Window(2), lambda b, t, s: t - 2 < s <= t),
    (Causal() & Window(4) & Padding(VALID), lambda b, t, s: t - 4 < s <= t and VALID[b, s]),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_mask_is_its_rule(case):
    mask, rule = CASES[case]
    assert np.array_equal(full(mask), loop(rule))


def test_masks_by_coordinates():
    times = np.array([[0, 0, 1, 1, 2, 2, 2, 3], [1, 0, 3, 2, 5, 4, 7, 6]])[..., None]
    p = pairs(times[:, -T:], times)
    assert np.array_equal(
        full(NotAfter(), p), loop(lambda b, t, s: times[b, s] <= times[b, t])[..., 0]
    )
    assert np.array_equal(full(Same(), p), loop(lambda b, t, s: times[b, s] == times[b, t])[..., 0])


def test_causal_is_kept_apart_for_the_fast_way():
    array, causal = resolve([Causal() & Window(3), None, Padding(VALID)], pairs())
    assert causal
    expected = full(Window(3)) & full(Padding(VALID))
    assert np.array_equal(np.broadcast_to(array, expected.shape), expected)
    assert resolve([Causal()], pairs()) == (None, True)
    assert resolve([None], pairs()) == (None, False)
    assert resolve([Causal()], pairs(T=1)) == (None, False)  # the last query sees every key


def test_arrays_are_masks():
    array = np.random.default_rng(0).random((B, T, S)) < 0.5
    assert np.array_equal(full(as_mask(array)), np.broadcast_to(array[:, None], (B, 3, T, S)))
    both = Causal() & array
    assert np.array_equal(full(both), full(Causal()) & array[:, None])
    assert len(both.parts()) == 2
    both = as_mask(array) & Causal()
    assert np.array_equal(full(both), full(Causal()) & array[:, None])


def test_what_is_no_mask_is_refused():
    with pytest.raises(TypeError, match=r"boolean.*float64 \(5, 8\)"):
        Given(np.ones((T, S)))
    with pytest.raises(TypeError, match=r"boolean array \(B, S\).*int64 \(2, 8\)"):
        Padding(np.ones((B, S), np.int64))
    with pytest.raises(TypeError, match="expected a Mask or a boolean array, got str"):
        as_mask("causal")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Window(0)
    with pytest.raises(ValueError, match=r"8 keys, got valid \(2, 5\)"):
        Padding(VALID[:, :5]).allowed(pairs())
