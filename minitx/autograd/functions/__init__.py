"""The functions that people call: NumPy's names and arguments, over the table of primitives.

An elementwise primitive is callable as it is (``exp``, ``tanh``, ``maximum``). Where a call needs
its arguments put in order first (an axis made positive, a shape with -1, a list of Tensors), the
function here does that and nothing else.
"""

from minitx.autograd.functions import (
    arithmetic,
    convolution,
    creation,
    fourier,
    indexing,
    linalg,
    pooling,
    products,
    reductions,
    sampling,
    shape,
    sorting,
)
from minitx.autograd.functions.arithmetic import *  # noqa: F403
from minitx.autograd.functions.convolution import *  # noqa: F403
from minitx.autograd.functions.creation import *  # noqa: F403
from minitx.autograd.functions.fourier import *  # noqa: F403
from minitx.autograd.functions.indexing import *  # noqa: F403
from minitx.autograd.functions.linalg import *  # noqa: F403
from minitx.autograd.functions.pooling import *  # noqa: F403
from minitx.autograd.functions.products import *  # noqa: F403
from minitx.autograd.functions.reductions import *  # noqa: F403
from minitx.autograd.functions.sampling import *  # noqa: F403
from minitx.autograd.functions.shape import *  # noqa: F403
from minitx.autograd.functions.sorting import *  # noqa: F403

__all__ = [
    *arithmetic.__all__,
    *creation.__all__,
    *shape.__all__,
    *indexing.__all__,
    *products.__all__,
    *reductions.__all__,
    *sorting.__all__,
    *fourier.__all__,
    *convolution.__all__,
    *pooling.__all__,
    *sampling.__all__,
    *linalg.__all__,
]
