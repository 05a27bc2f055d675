"""All functions of Tensors in one flat list: ``from minitx import functional as F``."""

from minitx.autograd.functions import *  # noqa: F403
from minitx.autograd.fused import *  # noqa: F403
