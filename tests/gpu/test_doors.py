"""The doors to the kernels: hung once, and opened and closed for one library at a time."""

import numpy as np

from minitx import functional as F
from minitx.autograd.fused import device as doors
from minitx.autograd.spaces import TABLE
from minitx.autograd.tensor import wrap
from tests import standin
from tests.gpu.cases import numbers


def computations():
    return {
        name: (TABLE[name].forward, getattr(TABLE[name], "backward", None)) for name in doors.DOORS
    }


def test_doors_that_are_opened_again_are_the_same(emulated):
    """A door before a door would ask the kernel twice, and every opening would add one."""
    hung = computations()
    doors.close_doors(emulated.xp)
    doors.open_doors(emulated)
    assert computations() == hung


def test_a_closed_door_leads_to_the_plain_form(emulated):
    x = wrap(standin.array(numbers(3, 5).astype(np.float32)), None)
    through = F.softmax(x).numpy()
    assert emulated.launched == ["softmax"]
    doors.close_doors(emulated.xp)
    np.testing.assert_allclose(F.softmax(x).numpy(), through, rtol=1e-6)
    assert emulated.launched == ["softmax"]
    doors.open_doors(emulated)
    np.testing.assert_array_equal(F.softmax(x).numpy(), through)
    assert emulated.launched == ["softmax"] * 2
