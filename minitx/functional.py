"""All functions of Tensors in one flat list: ``from minitx import functional as F``."""

from minitx.autograd.functions import *  # noqa: F403
from minitx.autograd.fused.linear import linear, naive_linear
from minitx.autograd.fused.softmax import log_softmax, naive_log_softmax, naive_softmax, softmax
