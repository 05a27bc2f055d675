"""The error function against the standard library's, to the last digits of each precision."""

import math

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor

GRID = np.concatenate([
    np.linspace(-6.5, 6.5, 40_001), np.geomspace(1e-300, 1, 2_001), [0.46875, 4.0, 3.95, 27.0]
])  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "relative"), [(np.float64, 1e-15), (np.float32, 3e-7)], ids=["float64", "float32"]
)
def test_on_a_dense_grid(dtype, relative):
    x = GRID.astype(dtype)
    x = x[np.abs(x) > np.finfo(dtype).tiny]
    found = F.erf(Tensor(x, dtype=dtype)).numpy()
    expected = np.array([math.erf(float(v)) for v in x])
    assert found.dtype == dtype
    assert (np.abs(found - expected) <= relative * np.abs(expected)).all()


def test_half_precision_is_rounded_from_single():
    x = np.linspace(-20, 20, 4001).astype(np.float16)
    found, expected = F.erf(Tensor(x, dtype=np.float16)), F.erf(Tensor(x.astype(np.float32)))
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found.numpy(), expected.numpy().astype(np.float16))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_ends(dtype):
    x = Tensor(np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]), dtype=dtype)
    found = F.erf(x).numpy()
    np.testing.assert_array_equal(found, [np.nan, 1, -1, 0, 0])
    assert np.signbit(found[-1])
    assert F.erf(Tensor(np.zeros((2, 0)), dtype=dtype)).shape == (2, 0)
