"""The loop that judges readers says the same as the package."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.checks.attention.oracle import attend, normal


@pytest.mark.parametrize("masked", [False, True])
def test_the_loop_is_the_package_s_attention(masked):
    rng = np.random.default_rng(3)
    q, k, v = normal(rng, (2, 3, 5, 7), (2, 3, 11, 7), (2, 3, 11, 4))
    allowed = rng.random((2, 1, 5, 11)) < 0.4
    allowed[0, 0, 2] = False  # a query that may hear nobody
    tensors = [Tensor(x, dtype=np.float64) for x in (q, k, v)]
    found = F.attention(*tensors, mask=allowed if masked else None).numpy()
    want = attend(q, k, v, allowed=allowed if masked else True)
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-12)
    assert not masked or (found[0, :, 2] == 0).all()
