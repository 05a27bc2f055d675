"""Rows of numbers taken apart into heads, and put together again."""

import numpy as np

from minitx.token_mixers import join_heads, split_heads
from tests.autograd.battery import prove, real

B, T, d = 2, 5, 3


def test_heads_against_loops():
    x = real(B, T, 7 * d)
    parts = split_heads(x, 4, 1, 2)
    assert [part.shape for part in parts] == [(B, n, T, d) for n in (4, 1, 2)]
    whole = np.concatenate([part.numpy() for part in parts], axis=1)
    for b, t, head in np.ndindex(B, T, 7):
        expected = x.numpy()[b, t, head * d : (head + 1) * d]
        np.testing.assert_array_equal(whole[b, head, t], expected)


def test_joining_undoes_splitting():
    x = real(B, T, 4 * d)
    np.testing.assert_array_equal(join_heads(split_heads(x, 4)[0]).numpy(), x.numpy())


def test_derivatives_of_both_orders():
    prove("split_heads", lambda x: split_heads(x, 4, 1, 2), real(B, T, 7 * d))
    used_in_part = lambda x: split_heads(x, 4, 1, 2)[1] ** 2  # noqa: E731
    prove("split_heads", used_in_part, real(B, T, 7 * d))
