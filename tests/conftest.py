"""What all tests share: the strict stand-in array, and an end to silent rank promotion."""

import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # `pytest` alone finds `tests` as well

from minitx import backend
from minitx.autograd.spaces import TABLE
from tests import standin as stand_in_arrays

hypothesis.settings.register_profile("minitx", deadline=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("minitx")


# --------------------------------------------------------------------------- rank promotion


class RankGuard:
    """Makes elementwise primitives refuse arrays of different numbers of axes.

    NumPy lines shapes up from the right without a word, so (B,) and (B, 1) meet as (B, B). Numbers
    and arrays without axes are free. What is forbidden is switched per test: ``allowed``.
    """

    def __init__(self):
        self.allowed = True
        for op in TABLE.values():
            if op.kind == "elementwise" or not op.differentiable:
                op.forward = self._watch(op.name, op.forward)

    def _watch(self, name, forward):
        def watched(xp, *arrays, **params):
            if not self.allowed:
                ranks = {x.ndim for x in arrays if getattr(x, "ndim", 0)}
                if len(ranks) > 1:
                    shapes = " and ".join(str(getattr(x, "shape", "a number")) for x in arrays)
                    raise RankPromotion(f"{name}: {shapes} have different numbers of axes")
            return forward(xp, *arrays, **params)

        watched.__doc__ = forward.__doc__
        return watched


class RankPromotion(AssertionError):
    """Two arrays of different numbers of axes met in an elementwise primitive."""


_GUARD = RankGuard()
_STRICT = {"autograd"}  # the folders in which every test runs under the guard


@pytest.fixture(autouse=True)
def _rank_promotion_is_an_error(request):
    folder = Path(request.fspath).parent.name
    _GUARD.allowed = folder not in _STRICT or "broadcasting" in request.fixturenames
    yield
    _GUARD.allowed = True


@pytest.fixture
def broadcasting():
    """Opt out: this test is about broadcasting over different numbers of axes."""


@pytest.fixture
def strict_ranks(_rank_promotion_is_an_error):
    """Opt in, in folders whose tests do not all run under the guard."""
    _GUARD.allowed = False


# ---------------------------------------------------------------------- the strict stand-in


@pytest.fixture
def standin():
    """The strict stand-in: an array type that refuses every silent conversion to NumPy.

    ``standin.array(x)`` makes one, ``standin.tensor(x)`` a Tensor on one, and
    ``standin.convert(module)`` moves a Module's parameters and buffers.
    """
    backend.register_namespace(stand_in_arrays.Array, stand_in_arrays.library)
    return stand_in_arrays


@pytest.fixture
def rng():
    """A generator of its own for every test, the same in every run."""
    return np.random.default_rng(0)
