"""What the tests of recurrences share, which run by chunks and step by step."""

import statistics
from collections.abc import Callable

import numpy as np

from minitx import Tensor, no_grad
from minitx import functional as F
from minitx.autograd.transforms import vjp
from minitx.experiments.timing import seconds

# (T, chunk): off the chunk's size, shorter than a chunk, chunks of one.
LENGTHS = [(1, 4), (3, 4), (12, 4), (13, 4), (13, 64), (67, 16), (131, 64), (7, 1), (37, 23)]


def assert_close(a: Tensor, b: Tensor, tolerance: float, scale: float = 1.0) -> None:
    a, b = a.numpy(), b.numpy()
    assert a.dtype == b.dtype and a.shape == b.shape
    assert np.abs(a - b).max() <= tolerance * max(scale, np.abs(b).max())


def assert_the_future_is_unheard(form: Callable, args: list[Tensor], other: list[Tensor]) -> None:
    """Time is the third axis of all; ``other`` takes the place of ``args`` from some t on."""
    before = form(*args).numpy()
    for t in (2, 7, 8, 20):
        mixed = [F.concatenate([x[:, :, :t], z[:, :, t:]], axis=2) for x, z in zip(args, other)]
        after, pull = vjp(form, *mixed)
        np.testing.assert_array_equal(after.numpy()[:, :, :t], before[:, :, :t])
        seed = np.zeros(after.shape)
        seed[:, :, :t] = 1
        for gradient in pull(Tensor(seed)):
            assert not gradient.numpy()[:, :, t:].any()
            assert gradient.numpy()[:, :, :t].any()


def assert_four_times_faster(chunks: Callable[[], Tensor], loop: Callable[[], np.ndarray]) -> None:
    """``chunks`` gives (1, 1, T, d) and ``loop``, step by step in NumPy, the same as (T, d)."""
    expected = loop()
    with no_grad():
        assert np.abs(chunks().numpy()[0, 0] - expected).max() < 1e-4 * np.abs(expected).max()
        slow, fast = map(statistics.median, seconds(loop, chunks))
    assert slow > 4 * fast, f"{1e3 * slow:.1f} ms by steps, {1e3 * fast:.1f} ms by chunks"
