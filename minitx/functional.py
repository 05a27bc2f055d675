"""All functions of Tensors in one flat list: ``from minitx import functional as F``."""

from minitx.autograd import functions, fused
from minitx.autograd.functions import *  # noqa: F403
from minitx.autograd.fused import *  # noqa: F403

__all__ = [*functions.__all__, *fused.__all__]
