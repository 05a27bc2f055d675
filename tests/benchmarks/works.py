"""Everything that is timed."""

from collections.abc import Iterator

from tests.benchmarks import decoding, forward, linear_attention, small_ops, training_step
from tests.benchmarks.work import Work


def works(threads: int) -> Iterator[Work]:
    """All works, for this number of threads."""
    for module in (training_step, forward, decoding, linear_attention, small_ops):
        yield from module.works(threads)
